"""`astegni recordings`: show, retry, verify."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from devstack.emulator.credentials import Credentials
from devstack.ports import free_port
from tests.cli.conftest import CallCommand, CommandResult
from tests.conftest import Sql
from worker.cli.local_stack.environment import environment_without_settings
from worker.cli.operations.recordings_target import recordings_target
from worker.storage.store import ObjectStore

Command = Callable[..., CommandResult]
PREFIX = "videos/whiteboard/session_1/recording_7/"


@pytest.fixture
def environment(database_url: str, b2: Credentials, tmp_path: Path) -> dict[str, str]:
    return environment_without_settings() | {
        "DATABASE_URL": database_url,
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "BACKBLAZE_REALM": b2.realm,
        "BACKBLAZE_KEY_ID": b2.key_id,
        "BACKBLAZE_APPLICATION_KEY": b2.application_key,
        "BACKBLAZE_BUCKET_NAME": b2.bucket,
        "ORPHAN_AGE": "0",
    }


@pytest.fixture
def command(environment: dict[str, str], tmp_path: Path, call_command: CallCommand) -> Command:
    return lambda *words: call_command(["recordings", *words], environment, tmp_path)


@pytest.fixture
def recording(sql: Sql, b2: Credentials, tmp_path: Path) -> int:
    """Recording 7 with a playback on B2 and an ingest that is over."""
    store = ObjectStore(key_id=b2.key_id, application_key=b2.application_key, bucket=b2.bucket, realm=b2.realm)
    store.prepare_bucket()
    path = tmp_path / "playback"
    path.write_bytes(b"bytes")
    stored = store.upload(path, f"{PREFIX}0123/play/playback.webm", content_type="video/webm")
    sql("INSERT INTO whiteboard_sessions (id) VALUES (1)")
    sql("INSERT INTO whiteboard_session_recordings (id, session_id, is_available) VALUES (7, 1, true)")
    sql(
        "INSERT INTO recording_renditions (recording_id, name, state, object_name, sha1, bytes)"
        " VALUES (7, 'playback', 'ready', :name, :sha1, 5)",
        name=stored.name,
        sha1=stored.sha1,
    )
    sql("INSERT INTO jobs (kind, subject, state, finished_at) VALUES ('tests.gone', 'recording:7', 'dead', now())")
    return 7


def test_show_has_rows_jobs_and_objects(command: Command, recording: int) -> None:
    shown = json.loads(command("show", str(recording)).stdout)

    assert (shown["recording"]["id"], shown["renditions"][0]["name"], shown["bytes"]) == (7, "playback", 5)
    assert [(each["rendition"], each["bytes"]) for each in shown["objects"]] == [("playback", 5)]
    assert [job["state"] for job in shown["jobs"]] == ["dead"]
    missing = command("show", "8")
    assert (missing.returncode, missing.stderr) == (1, "astegni: There is no recording 8.\n")


def test_without_b2_the_rows_are_shown_and_the_reason(
    command: Command, recording: int, environment: dict[str, str]
) -> None:
    realm = environment["BACKBLAZE_REALM"]
    for changes, code in (
        ({"BACKBLAZE_REALM": f"http://127.0.0.1:{free_port()}"}, 69),
        ({"BACKBLAZE_REALM": realm, "BACKBLAZE_APPLICATION_KEY": "wrong"}, 1),
    ):
        environment.update(changes)
        output = command("show", str(recording))
        shown = json.loads(output.stdout)

        assert (output.returncode, shown["objects"], shown["bytes"]) == (code, None, None)
        assert (shown["recording"]["id"], shown["renditions"][0]["name"]) == (7, "playback")
        assert output.stderr.count("\n") == 1
        assert output.stderr.startswith("astegni: look at videos/whiteboard/.owner: "), output.stderr


def test_retry_says_what_it_queued_and_what_it_could_not(command: Command, recording: int) -> None:
    done = command("retry", str(recording), "--as", "maria")

    assert (done.returncode, done.stdout) == (1, "")
    assert "tests.gone" in done.stderr


def test_a_lock_that_an_order_meets_is_told_in_a_sentence(command: Command, recording: int, sql: Sql) -> None:
    """Orders are written without SQLAlchemy, whose errors every command explains."""
    sql("UPDATE recording_renditions SET name = '360p', state = 'failed'")
    sql(
        "CREATE FUNCTION locked() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE lock_not_available; END $$;"
        "CREATE TRIGGER locked BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION locked()"
    )
    done = command("retry", str(recording))
    sentence = "astegni: Another transaction holds a lock that this command needs; try again.\n"
    assert (done.returncode, done.stdout, done.stderr) == (69, "", sentence)


def test_the_bucket_is_opened_once(
    environment: dict[str, str], recording: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export of a thousand recordings would authorise itself ten thousand times."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with recordings_target() as target:
        assert target.store is target.store


def test_verify_names_each_fault_and_ends_with_1(command: Command, recording: int, sql: Sql) -> None:
    assert command("verify", "--all").stdout == "Every object is as its row says.\n"
    assert command("verify", str(recording), "--json").stdout == ""
    sql("UPDATE recording_renditions SET bytes = 6")
    all_recordings, single = command("verify", "--all"), command("verify", str(recording), "--json")

    assert (all_recordings.returncode, all_recordings.stdout.split(":")[0]) == (1, "size")
    assert (single.returncode, json.loads(single.stdout)["object"]) == (1, f"{PREFIX}0123/play/playback.webm")
    assert command("verify").returncode == 1
    assert command("verify", "7", "--all").returncode == 1
