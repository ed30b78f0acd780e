"""Renditions that are ordered later: by whom, which, and each only once."""

import pytest

from tests.api.conftest import ApiClient, ClientFor
from tests.conftest import School, Sql
from worker.access.callers import Operator

_RECORDING = """
    WITH session AS (INSERT INTO whiteboard_sessions (booking_id) VALUES (:booking) RETURNING id)
    INSERT INTO whiteboard_session_recordings
           (session_id, is_available, source_sha1, duration_seconds, recording_metadata)
    SELECT id, true, repeat('a', 40), 120,
           '{"video_codec": "vp8", "width": 640, "height": 480, "audio_codec": "opus"}' FROM session RETURNING id
"""


@pytest.fixture
def path(school: School, sql: Sql) -> str:
    """The address of the renditions of a camera's recording."""
    return f"/v1/recordings/{sql(_RECORDING, booking=school.booking_id)[0][0]}/renditions"


@pytest.fixture
def tutor(school: School, client_for: ClientFor) -> ApiClient:
    return client_for(school.tutor)


def test_what_can_be_made_is_ordered_once(path: str, tutor: ApiClient, sql: Sql) -> None:
    status, first = tutor.ask("POST", path, {"names": ["720p", "board", "download"]})

    assert status == 202
    assert first["ordered"] == ["audio-aac", "360p", "download"]
    assert [refused["name"] for refused in first["refused"]] == ["720p", "board"]
    assert tutor.ask("POST", path, {"names": ["download", "audio"]})[1]["job_id"] == first["job_id"]
    assert [row.name for row in sql("SELECT name FROM recording_renditions WHERE state = 'pending' ORDER BY id")] == [
        *first["ordered"],
        "audio",
    ]
    ((kind, queue, lane),) = sql("SELECT kind, queue, lane FROM jobs")
    assert (kind, queue, lane) == ("recordings.renditions", "media", "background")


def test_what_is_ready_stays(path: str, tutor: ApiClient, sql: Sql) -> None:
    recording_id = int(path.split("/")[3])
    sql(
        "INSERT INTO recording_renditions (recording_id, name, state, object_name) VALUES (:id, 'audio', 'ready', 'x')",
        id=recording_id,
    )

    _, document = tutor.ask("POST", path, {"names": ["audio"]})

    assert document == {"job_id": None, "pictures_job_id": None, "ordered": [], "ready": ["audio"], "refused": []}
    assert sql("SELECT * FROM jobs") == []


def test_pictures_are_ordered_like_renditions(path: str, tutor: ApiClient, sql: Sql) -> None:
    recording_id = int(path.split("/")[3])
    sql(
        """
        INSERT INTO recording_renditions (recording_id, name, state, object_name, bytes, width, height)
        VALUES (:id, 'playback', 'ready', 'x', 1000, 640, 480), (:id, 'poster', 'ready', 'y', 100, 640, 480)
        """,
        id=recording_id,
    )

    _, document = tutor.ask("POST", path, {"names": ["posters", "storyboard", "activity", "audio"]})

    assert document["ordered"] == ["audio", "posters", "storyboard", "activity"]
    jobs = {str(row.id): row.kind for row in sql("SELECT id, kind FROM jobs")}
    assert jobs[document["job_id"]] == "recordings.renditions"
    assert jobs[document["pictures_job_id"]] == "recordings.pictures"
    pending = {row.name for row in sql("SELECT name FROM recording_renditions WHERE state = 'pending'")}
    posters = {"poster-320", "poster-320-webp", "poster-640", "poster-640-webp"}
    assert pending == {"audio", "storyboard", "activity", *posters}
    again = tutor.ask("POST", path, {"names": ["posters", "preview"]})[1]
    assert (again["job_id"], again["pictures_job_id"]) == (None, document["pictures_job_id"])


def test_sound_alone_has_no_picture_to_order(path: str, tutor: ApiClient) -> None:
    _, document = tutor.ask("POST", path, {"names": ["posters", "storyboard", "preview", "activity"]})

    assert document["ordered"] == ["activity"]
    assert [refused["name"] for refused in document["refused"]] == ["posters", "storyboard", "preview"]


def test_a_failed_one_is_ordered_again(path: str, tutor: ApiClient, sql: Sql) -> None:
    recording_id = int(path.split("/")[3])
    sql(
        "INSERT INTO recording_renditions (recording_id, name, state, reason) VALUES (:id, 'audio', 'failed', 'x')",
        id=recording_id,
    )

    assert tutor.ask("POST", path, {"names": ["audio"]})[1]["ordered"] == ["audio"]
    ((state, reason),) = sql("SELECT state, reason FROM recording_renditions")
    assert (state, reason) == ("pending", None)


def test_only_its_tutor_and_operators_order(
    path: str, school: School, client_for: ClientFor, operator: Operator
) -> None:
    assert client_for(school.student).ask("POST", path, {"names": ["audio"]})[0] == 403
    assert client_for(operator).ask("POST", path, {"names": ["audio"]})[0] == 202


@pytest.mark.parametrize("names", [[], ["4k"], None, ["audio"] * 12])
def test_wrong_names_are_refused(path: str, tutor: ApiClient, names: object) -> None:
    assert tutor.ask("POST", path, {"names": names})[0] == 422


def test_nothing_is_made_of_what_cannot_be_played(path: str, tutor: ApiClient, sql: Sql) -> None:
    sql("UPDATE whiteboard_session_recordings SET is_available = false")

    assert tutor.ask("POST", path, {"names": ["audio"]})[0] == 409


@pytest.mark.parametrize("limits", [{"limit_live_renditions": 1}])
def test_a_person_has_a_number_of_recordings_in_work(path: str, tutor: ApiClient, school: School, sql: Sql) -> None:
    assert tutor.ask("POST", path, {"names": ["audio"]})[0] == 202
    other = f"/v1/recordings/{sql(_RECORDING, booking=school.booking_id)[0][0]}/renditions"

    assert tutor.ask("POST", other, {"names": ["audio"]})[0] == 429
    assert tutor.ask("POST", path, {"names": ["360p"]})[0] == 202
