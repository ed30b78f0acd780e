import json
import os
from pathlib import Path

import pytest

from worker.dev.runfile import read_runfile, remove_runfile, runfile_path, write_runfile

_FACTS = {"api": "http://127.0.0.1:8000", "operator_token": "t"}
_WRITER = """
import json, sys
from worker.dev.runfile import read_runfile, write_runfile
write_runfile({"api": "theirs"})
print(json.dumps(read_runfile()), flush=True)
sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def test_facts_come_back_with_the_process(state: Path) -> None:
    write_runfile(_FACTS)

    assert read_runfile() == {**_FACTS, "pid": os.getpid()}
    assert runfile_path() == state / "astegni" / "up.json"
    assert runfile_path().stat().st_mode & 0o777 == 0o600
    assert list(runfile_path().parent.iterdir()) == [runfile_path()]


def test_without_a_run_file_there_are_no_facts() -> None:
    assert read_runfile() is None
    remove_runfile()


@pytest.mark.parametrize("content", ["", "[]", "null", "{}", '{"pid": "x", "born": "1"}', '{"pid": -1, "born": "1"}'])
def test_a_spoilt_run_file_is_none(content: str) -> None:
    write_runfile(_FACTS)
    runfile_path().write_text(content)

    assert read_runfile() is None


def test_a_killed_process_leaves_no_facts(starter) -> None:
    process = starter(_WRITER, stdin=-1)
    assert json.loads(process.stdout.readline())["pid"] == process.pid

    assert read_runfile() is not None
    process.kill()
    process.communicate()

    assert read_runfile() is None


def test_an_id_used_again_is_another_process() -> None:
    write_runfile(_FACTS)
    stored = json.loads(runfile_path().read_text())
    runfile_path().write_text(json.dumps({**stored, "born": "1"}))

    assert read_runfile() is None


def test_only_ours_is_removed(starter) -> None:
    write_runfile(_FACTS)
    remove_runfile()
    assert not runfile_path().exists()

    write_runfile(_FACTS)
    process = starter(_WRITER, stdin=-1)
    process.stdout.readline()
    remove_runfile()

    found = read_runfile()
    assert found is not None
    assert found["api"] == "theirs"


def test_a_relative_state_directory_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert runfile_path() == tmp_path / ".local" / "state" / "astegni" / "up.json"
