"""`astegni users export` and `erase`."""

import json
import resource
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from devstack.emulator.credentials import Credentials
from tests.cli.conftest import CallCommand, CommandResult
from tests.conftest import MakeSettings, School, Sql
from tests.forking.forked_process import ForkServer
from tests.waiting import TIMEOUT
from worker.cli.local_stack.environment import environment_without_settings
from worker.storage.store import ObjectStore

Command = Callable[..., CommandResult]


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return environment_without_settings() | {
        "DATABASE_URL": database_url,
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }


@pytest.fixture
def command(environment: dict[str, str], tmp_path: Path, call_command: CallCommand) -> Command:
    return lambda *words: call_command(["users", *words], environment, tmp_path)


def test_a_person_without_recordings_is_exported_without_b2(command: Command, school: School, tmp_path: Path) -> None:
    output = command("export", "2", "--to", "person")

    assert output.stdout == "person: 3 rows of 3 tables, 0 objects, 0 bytes.\n"
    assert json.loads((tmp_path / "person" / "rows" / "users.json").read_text())[0]["id"] == 2
    assert command("export", "2", "--to", "person").returncode == 1
    assert command("export", "9", "--to", "other").stderr == "astegni: There is no user 9.\n"


def test_erasing_says_first_what_it_would_do(command: Command, school: School, sql: Sql) -> None:
    would = command("erase", "2")
    assert would.stdout.startswith("Would be erased (--yes does it): user 2; bookings ended: 1")
    assert sql("SELECT first_name FROM users WHERE id = 2") == [("student 2",)]

    done = command("erase", "2", "--yes", "--json", "--as", "maria")
    assert (json.loads(done.stdout)["done"], json.loads(done.stdout)["bookings"]) == (True, 1)
    assert sql("SELECT first_name, is_active FROM users WHERE id = 2") == [(None, False)]
    assert command("erase", "9", "--yes").returncode == 1


def test_a_folder_that_cannot_be_used_is_a_sentence(command: Command, school: School) -> None:
    for to in ("nowhere/person", "nowhere/person.zip", "/proc/person"):
        output = command("export", "2", "--to", to)
        assert (output.returncode, output.stderr.count("\n")) == (1, 1)
        assert "cannot be used: No such file or directory" in output.stderr


@pytest.mark.parametrize("to", ["person", "person.zip"])
def test_a_disk_that_is_full_is_a_sentence(command: Command, school: School, tmp_path: Path, to: str) -> None:
    """Here a limit of the process: a file of more than 100 bytes cannot be written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        output = command("export", "2", "--to", to)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (output.returncode, output.stderr) == (
        1,
        "astegni: A file cannot be read or written further: File too large.\n",
    )
    assert not [path for path in tmp_path.iterdir() if "person" in path.name or "export" in path.name]


def test_what_b2_does_not_return_is_named_and_may_be_had_later(
    environment: dict[str, str],
    b2: Credentials,
    settings: MakeSettings,
    call_command: CallCommand,
    school: School,
    sql: Sql,
    tmp_path: Path,
) -> None:
    sql("INSERT INTO whiteboard_sessions (id) VALUES (1)")
    sql("INSERT INTO whiteboard_session_recordings (id, session_id, recorded_by) VALUES (7, 1, 2)")
    sql(
        "INSERT INTO recording_renditions (recording_id, name, state, object_name)"
        " VALUES (7, 'source', 'ready', 'a/../o')"
    )
    store = ObjectStore.from_settings(settings())
    store.prepare_bucket()
    environment |= {
        "BACKBLAZE_REALM": b2.realm,
        "BACKBLAZE_KEY_ID": b2.key_id,
        "BACKBLAZE_APPLICATION_KEY": b2.application_key,
        "BACKBLAZE_BUCKET_NAME": settings().backblaze_bucket_name,
    }
    output = call_command(["users", "export", "2", "--to", "person"], environment, tmp_path)

    assert output.returncode == 69
    assert "not read: " in output.stderr
    assert "person lacks 1 objects (unread.json). Remove it and export again." in output.stderr
    assert (tmp_path / "person" / "rows" / "users.json").exists()


@pytest.mark.parametrize("to", ["person", "person.zip"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_export_that_a_signal_ends_leaves_nothing(
    environment: dict[str, str],
    fork_server: ForkServer,
    school: School,
    sql: Sql,
    tmp_path: Path,
    number: signal.Signals,
    to: str,
) -> None:
    sql("INSERT INTO whiteboard_sessions (id) VALUES (1)")
    sql("INSERT INTO whiteboard_session_recordings (id, session_id, recorded_by) VALUES (7, 1, 2)")
    sql("INSERT INTO recording_renditions (recording_id, name, state, object_name) VALUES (7, 'source', 'ready', 'o')")
    folder = tmp_path / "export"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(TIMEOUT)
        environment |= {
            "BACKBLAZE_REALM": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "BACKBLAZE_KEY_ID": "key",
            "BACKBLAZE_APPLICATION_KEY": "secret",
            "BACKBLAZE_BUCKET_NAME": "bucket",
        }
        words = ["users", "export", "2", "--to", str(folder / to)]
        process = fork_server.start("export", "worker.cli", words, tmp_path / "export.log", environment)
        # It asks B2 for the object: the rows are written.
        with silent.accept()[0]:
            assert list(folder.glob(".export-*/**/users.json") if to == "person" else folder.glob(".export-*/whole"))
            process.signal(number)
            process.wait(TIMEOUT)
    assert (process.kill(), process.log_tail()) == (
        128 + number,
        f"astegni: ended by {number.name}; what was half written is removed.",
    )
    assert list(folder.iterdir()) == []
