"""While a lesson is being made, and when it could not be: what the page says, in both languages."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.watch.conftest import Lesson, Open
from tests.conftest import Sql
from worker.player.readable import size_text
from worker.recordings.outputs.renditions import set_rendition

_JOB = (
    "INSERT INTO jobs (kind, principal, subject, state, attempt, run_token, lease_until, progress, progress_note)"
    " VALUES ('recordings.ingest', 'user:1', :subject, 'running', 1, gen_random_uuid(), now() + interval '1 hour',"
    " 40, 'copying') RETURNING id"
)
_MAKING = (
    "UPDATE whiteboard_session_recordings SET is_processing = true, is_available = false, job_id = :job WHERE id = :id"
)
_PROGRESS = "UPDATE jobs SET progress = :progress WHERE id = :job"
_MADE = "UPDATE whiteboard_session_recordings SET is_processing = false, is_available = true WHERE id = :id"
_FAILED = (
    "UPDATE whiteboard_session_recordings SET is_processing = false, is_available = false,"
    " error = CAST(:error AS jsonb) WHERE id = :id"
)


def test_progress_is_shown_until_the_lesson_plays(lesson: Lesson, open_lesson: Open, sql: Sql) -> None:
    lesson.put_strokes()
    [(job,)] = sql(_JOB, subject=f"recording:{lesson.recording}")
    sql(_MAKING, job=job, id=lesson.recording)
    viewer = open_lesson()
    viewer.wait("document.getElementById('progress').value === 40")
    assert viewer.text("makingText") == "The lesson is being prepared: copying"
    assert viewer.run("document.getElementById('player').hidden") is True
    sql(_PROGRESS, progress=70, job=job)
    viewer.wait("document.getElementById('progress').value === 70")
    viewer.run("document.querySelector('[data-language=am]').click()")
    viewer.wait("document.getElementById('makingText').textContent === 'ትምህርቱ እየተዘጋጀ ነው'")
    sql(_MADE, id=lesson.recording)
    viewer.wait("document.querySelector('[name=mode]:checked')?.value === 'strokes'")
    assert viewer.run("document.getElementById('making').hidden") is True
    assert viewer.run("faults") == []


@pytest.mark.parametrize(
    ("error", "english", "amharic"),
    [
        (
            {"code": "media-rejected", "reason": "damaged", "detail": "Nothing of it plays."},
            "The lesson could not be prepared. Nothing of it plays.",
            "ትምህርቱን ማዘጋጀት አልተቻለም። ፋይሉ ተበላሽቷል።",
        ),
        ({"code": "no-file", "detail": "None."}, "This recording has no file.", "ይህ ቀረጻ ፋይል የለውም።"),
    ],
)
def test_what_failed_is_said_in_both_languages(
    lesson: Lesson, open_lesson: Open, sql: Sql, error: dict[str, Any], english: str, amharic: str
) -> None:
    sql(_FAILED, error=json.dumps(error), id=lesson.recording)
    viewer = open_lesson()
    viewer.wait(f"document.getElementById('alerts').textContent === {json.dumps(english)}")
    viewer.run("document.querySelector('[data-language=am]').click()")
    viewer.wait(f"document.getElementById('alerts').textContent === {json.dumps(amharic)}")
    assert viewer.run("document.getElementById('player').hidden") is True


def test_the_board_of_a_recording_without_a_file_is_offered(
    lesson: Lesson, open_lesson: Open, sql: Sql, tmp_path: Path
) -> None:
    document = tmp_path / "board.pdf"
    document.write_bytes(b"%PDF-1.7")
    size = lesson.put("document", document, "application/pdf")
    sql(_FAILED, error=json.dumps({"code": "no-file", "detail": "None."}), id=lesson.recording)
    viewer = open_lesson()
    viewer.wait("document.querySelector('#fileList a')?.checkVisibility()")
    assert viewer.text("fileList") == f"Board as PDF ({size_text(size)})"
    assert viewer.text("alerts") == "This recording has no file."
    # There is nothing to pack.
    assert viewer.run("document.getElementById('packOrder').hidden") is True
    assert viewer.run("faults") == []


def test_a_lesson_is_being_prepared_until_this_browser_can_play_it(lesson: Lesson, open_lesson: Open) -> None:
    # As the fast copy in WebM is to an old iPhone.
    lesson.put("playback", lesson.files.playback, "video/quicktime", "hvc1")
    with lesson.context.database.transaction() as session:
        set_rendition(session, lesson.recording, "audio", state="pending")
    viewer = open_lesson()
    viewer.wait("!document.getElementById('making').hidden")
    assert viewer.text("alerts") == ""
    lesson.put("audio", lesson.files.audio, "audio/webm", "opus")
    viewer.wait("document.querySelector('[name=mode]:checked')?.value === 'sound'")
    assert viewer.run("document.getElementById('making').hidden") is True
