"""`astegni backup check|resume` and `astegni recordings adopt` after a restore."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from devstack.emulator.credentials import Credentials
from tests.cli.conftest import CallCommand, CommandResult
from tests.conftest import Sql
from worker.cli.local_stack.environment import environment_without_settings
from worker.storage.store import ObjectStore

Command = Callable[..., CommandResult]
PREFIX = "videos/whiteboard/session_1/recording_7/"


@pytest.fixture
def command(database_url: str, b2: Credentials, tmp_path: Path, call_command: CallCommand) -> Command:
    environment = environment_without_settings() | {
        "DATABASE_URL": database_url,
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "BACKBLAZE_REALM": b2.realm,
        "BACKBLAZE_KEY_ID": b2.key_id,
        "BACKBLAZE_APPLICATION_KEY": b2.application_key,
        "BACKBLAZE_BUCKET_NAME": b2.bucket,
    }
    return lambda *words: call_command(words, environment, tmp_path)


@pytest.fixture
def unlisted(b2: Credentials, tmp_path: Path) -> str:
    """The source of a recording of which the database knows nothing."""
    store = ObjectStore(key_id=b2.key_id, application_key=b2.application_key, bucket=b2.bucket, realm=b2.realm)
    store.prepare_bucket()
    path = tmp_path / "source"
    path.write_bytes(b"bytes")
    return store.upload(path, f"{PREFIX}0123456789ab/source.webm", content_type="video/webm").name


def test_rows_and_objects_that_agree(command: Command, b2: Credentials, sql: Sql) -> None:
    ObjectStore(key_id=b2.key_id, application_key=b2.application_key, bucket=b2.bucket, realm=b2.realm).prepare_bucket()
    output = command("backup", "check")
    assert (output.returncode, output.stdout) == (0, "Rows and objects agree.\n")
    assert command("recordings", "adopt").stdout == "Every object of a recording has a recording.\n"


def test_a_restore_is_told_and_ended(command: Command, unlisted: str, sql: Sql) -> None:
    sql("UPDATE installation SET identity = '1:2:3'")
    checked, as_json = command("backup", "check"), command("backup", "check", "--json")

    assert checked.stdout == "no row: recording 7 has 1 objects on B2 (astegni recordings adopt)\n"
    assert (checked.returncode, "Sweeps wait: The tables" in checked.stderr) == (1, True)
    assert json.loads(as_json.stdout)["unnamed"] == [unlisted]
    assert command("backup", "resume").returncode == 0
    assert command("backup", "check").stderr == ""


def test_a_recording_is_adopted_into_its_session_alone(command: Command, unlisted: str, sql: Sql) -> None:
    refused = command("recordings", "adopt")
    sql("INSERT INTO whiteboard_sessions (id, created_at) VALUES (1, now() - interval '1 hour')")
    would = command("recordings", "adopt", "--dry-run", "7")
    others = command("recordings", "adopt", "8")
    done = command("recordings", "adopt", "--json", "--as", "maria")

    assert (refused.returncode, "session 1 is not in the database" in refused.stderr) == (1, True)
    assert would.stdout.startswith("Would be adopted: recording 7 of session 1, as it was uploaded")
    assert "Not known: title, type, who recorded it" in would.stdout
    assert (others.returncode, "B2 has no object of recording 8" in others.stderr) == (1, True)
    assert json.loads(done.stdout)["object"] == unlisted
    assert sql("SELECT principal, subject FROM jobs") == [("cli:maria", "recording:7")]
