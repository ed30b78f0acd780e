"""Search in captions, chapters and typed text, whichever letters of one sound somebody uses."""

import json

import pytest

from models.recordings import Recording
from tests.conftest import School, Sql
from worker.database import Database
from worker.media.captions.cue import Cue
from worker.recordings.texts.board_texts import BoardText, set_board_texts
from worker.recordings.texts.captions import set_captions
from worker.recordings.texts.chapters import Chapter, set_chapters
from worker.workflows.recordings.search_recording import MAX_MATCHES, Match, Matches, search_recording

AMHARIC = [Cue(1000, 2000, "ፀሐይ ትወጣለች"), Cue(9000, 9500, "ሥራ\nነው"), Cue(12_000, 13_000, "ሰላም ለዓለም")]
ENGLISH = [Cue(1000, 2000, "The sun rises"), Cue(30_000, 31_000, "1/2 + 1/3 = 5/6")]


class Found:
    """A recording with texts of all kinds."""

    def __init__(self, database: Database, recording_id: int) -> None:
        self.database, self.id = database, recording_id
        with database.transaction() as session:
            set_captions(session, recording_id, "am", AMHARIC)
            set_captions(session, recording_id, "en", ENGLISH)
            set_chapters(session, recording_id, "tutor", [Chapter(0, "ጸሀይ እና ጨረቃ"), Chapter(60_000, "The Moon")])
            set_board_texts(session, recording_id, [BoardText(500, "ፀሃይ = sun"), BoardText(70_000, "Café")])

    def search(self, query: str) -> Matches:
        with self.database.transaction() as session:
            return search_recording(session, session.get_one(Recording, self.id), query)


@pytest.fixture
def recording(database: Database, sql: Sql, school: School) -> Found:
    recording_id = sql(
        "WITH session AS (INSERT INTO whiteboard_sessions (booking_id) VALUES (:booking) RETURNING id)"
        " INSERT INTO whiteboard_session_recordings (session_id, is_available, recording_metadata)"
        " SELECT id, true, CAST(:metadata AS jsonb) FROM session RETURNING id",
        booking=school.booking_id,
        metadata=json.dumps({"duration_ms": 120_000}),
    )[0].id
    return Found(database, recording_id)


@pytest.mark.parametrize("query", ["ፀሐይ", "ጸሐይ", "ፀሀይ", "ጸሃይ", " ጸሃይ። "])
def test_one_word_in_every_spelling_finds_all_places(recording: Found, query: str) -> None:
    assert recording.search(query) == Matches(
        (
            Match("chapter", 0, "ጸሀይ እና ጨረቃ"),
            Match("board", 500, "ፀሃይ = sun"),
            Match("caption", 1000, "ፀሐይ ትወጣለች", "am"),
        ),
        3,
    )


@pytest.mark.parametrize(
    ("query", "starts"),
    [
        ("SUN", [500, 1000]),
        ("rises the", [1000]),
        ("moon", [60_000]),
        ("cafe", [70_000]),
        ("ስራ ነው", [9000]),
        ("አለም", [12_000]),
        ("1/3", [30_000]),
        ("moon sun", []),
        ("%", []),
        ("_", []),
        ("\\", []),
        (" ", []),
        ("'; DROP TABLE jobs", []),
        ("ab" * 100, []),
    ],
)
def test_all_words_must_stand_together(recording: Found, query: str, starts: list[int]) -> None:
    result = recording.search(query)
    assert ([match.start_ms for match in result.matches], result.total) == (starts, len(starts))


def test_many_matches_are_counted_and_the_first_shown(recording: Found) -> None:
    with recording.database.transaction() as session:
        set_captions(session, recording.id, "om", [Cue(number, number + 1, "barsiisaa") for number in range(1000)])
    result = recording.search("Barsiisaa")
    assert (len(result.matches), result.total) == (MAX_MATCHES, 1000)
    assert [match.start_ms for match in result.matches] == list(range(MAX_MATCHES))
