"""Everything of one person in a folder or a zip file, and nothing of others."""

import json
import stat
import zipfile
from pathlib import Path

import pytest

from tests.conftest import School, Sql
from tests.workflows.conftest import RecordingFixture
from worker.database import Database
from worker.errors import Conflict, Misconfigured, NotFound
from worker.jobs.orders.recording_orders import IngestRecording, StoreSource
from worker.settings import Settings
from worker.storage.store import ObjectStore
from worker.workflows.people.export_person import PersonExport, export_person


@pytest.fixture
def recorded(recordings: RecordingFixture, sample: bytes) -> int:
    """A recording of user 1, and one of user 2."""
    for content, user in ((sample, 1), (sample + b"\0", 2)):
        recording_id = recordings.arrive(content, recorded_by=user, principal=f"user:{user}")
        recordings.perform(IngestRecording, recording_id)
        recordings.perform(StoreSource, recording_id)
    recordings.sql(
        "INSERT INTO notification_channels (user_id, kind, address, label, code_hash)"
        " VALUES (1, 'webhook', '\\x00ff', 'example.org', 'hash')"
    )
    return recording_id - 1


def export(recordings: RecordingFixture, user_id: int, to: Path) -> PersonExport:
    return export_person(recordings.database, lambda: recordings.context.store, user_id, to, pauses=())


def test_a_folder_has_rows_and_objects(
    recordings: RecordingFixture, recorded: int, sample: bytes, tmp_path: Path
) -> None:
    to = tmp_path / "person"
    exported = export(recordings, 1, to)

    rows = {path.stem: json.loads(path.read_text()) for path in (to / "rows").iterdir()}
    assert {name: len(stored) for name, stored in rows.items()} == exported.rows
    assert [row["id"] for row in rows["whiteboard_session_recordings"]] == [recorded]
    assert [row["email"] for row in rows["users"]] == ["1@example.org"]
    assert {"address", "code_hash"}.isdisjoint(rows["notification_channels"][0])
    objects = [path for path in (to / "objects").rglob("*") if path.is_file()]
    assert (len(objects), exported.objects) == (2, 2)
    assert sample in [path.read_bytes() for path in objects]
    assert {stat.S_IMODE(path.stat().st_mode) for path in to.rglob("*") if path.is_file()} == {0o600}
    assert stat.S_IMODE(to.stat().st_mode) == 0o700


def test_a_zip_file_has_the_same(recordings: RecordingFixture, recorded: int, tmp_path: Path) -> None:
    to = tmp_path / "person.zip"
    exported = export(recordings, 1, to)

    with zipfile.ZipFile(to) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
    assert sum(name.startswith("objects/videos/whiteboard/") for name in names) == exported.objects == 2
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    assert not list(tmp_path.glob(".export-*"))


def test_an_object_that_b2_has_lost_keeps_nothing_else_back(
    recordings: RecordingFixture, recorded: int, sample: bytes, tmp_path: Path
) -> None:
    lost = recordings.rendition(recorded, "playback").object_name
    recordings.context.store.delete(lost)
    exported = export(recordings, 1, tmp_path / "person")

    assert (exported.objects, exported.bytes, exported.missing) == (1, len(sample), (lost,))
    assert json.loads((tmp_path / "person" / "missing.json").read_text()) == [lost]


def test_what_cannot_be_exported_leaves_nothing(recordings: RecordingFixture, recorded: int, tmp_path: Path) -> None:
    with pytest.raises(Conflict):
        export(recordings, 1, tmp_path)
    with pytest.raises(NotFound):
        export(recordings, 99, tmp_path / "nobody")
    with pytest.raises(Misconfigured):
        export_person(recordings.database, lambda: ObjectStore.from_settings(Settings()), 1, tmp_path / "person")
    assert not {"nobody", "person"} & {path.name for path in tmp_path.iterdir()}
    assert not list(tmp_path.glob(".export-*"))


@pytest.mark.parametrize("name", ["person", "person.zip"])
def test_an_object_that_b2_does_not_return_keeps_nothing_else_back(
    recordings: RecordingFixture, recorded: int, sample: bytes, tmp_path: Path, name: str
) -> None:
    """A retry cannot help: the object is not what its row says."""
    spoiled = recordings.rendition(recorded, "playback").object_name
    recordings.sql(
        "UPDATE recording_renditions SET sha1 = :sha1 WHERE object_name = :name", sha1="0" * 40, name=spoiled
    )
    exported = export(recordings, 1, tmp_path / name)

    [unread] = exported.unread
    assert (exported.objects, exported.bytes, unread.name) == (1, len(sample), spoiled)
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            listed = json.loads(archive.read("unread.json"))
    else:
        listed = json.loads((tmp_path / name / "unread.json").read_text())
    assert [each["object"] for each in listed] == [spoiled]
    assert "SHA-1" in listed[0]["reason"]


def test_the_texts_of_recordings_are_there(database: Database, school: School, sql: Sql, tmp_path: Path) -> None:
    """Chapters and captions are in no object."""
    for user_id, title in ((1, "Mine"), (2, "Theirs")):
        sql(
            """
            WITH board AS (INSERT INTO whiteboard_sessions (booking_id) VALUES (:booking) RETURNING id),
                 recording AS (INSERT INTO whiteboard_session_recordings (session_id, recorded_by)
                               SELECT id, :user FROM board RETURNING id),
                 chapters AS (INSERT INTO recording_chapters (recording_id, origin, chapters)
                              SELECT id, 'tutor', CAST(:chapters AS jsonb) FROM recording)
            INSERT INTO recording_captions (recording_id, language, cues, bytes)
            SELECT id, 'en', CAST(:cues AS jsonb), 9 FROM recording
            """,
            booking=school.booking_id,
            user=user_id,
            chapters=json.dumps([{"start_ms": 0, "title": title}]),
            cues=json.dumps([[0, 900, title, ""]]),
        )

    exported = export_person(database, _no_store, 1, tmp_path / "person")

    assert (exported.rows["recording_chapters"], exported.rows["recording_captions"]) == (1, 1)
    texts = [(tmp_path / "person" / "rows" / f"recording_{name}.json").read_text() for name in ("chapters", "captions")]
    assert all("Mine" in text and "Theirs" not in text for text in texts)


def _no_store() -> ObjectStore:
    pytest.fail("there is no object to export")


@pytest.mark.parametrize("name", ["person", "person.zip"])
def test_two_at_once_do_not_take_the_same_name(
    recordings: RecordingFixture, recorded: int, tmp_path: Path, name: str
) -> None:
    def store() -> ObjectStore:
        # The rows of the first one are written.
        with pytest.raises(Conflict, match="exists already"):
            export(recordings, 2, tmp_path / name)
        return recordings.context.store

    exported = export_person(recordings.database, store, 1, tmp_path / name, pauses=())

    assert exported.objects == 2
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            users = json.loads(archive.read("rows/users.json"))
    else:
        users = json.loads((tmp_path / name / "rows" / "users.json").read_text())
    assert [row["id"] for row in users] == [1]
