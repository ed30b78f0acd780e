import json
import os
from pathlib import Path

import pytest

from tests.conftest import Starter
from worker.cli.runfile import newest_stack, published_runfile, runfile_directory, running_stacks

_FACTS = {"api": "http://127.0.0.1:8000", "operator_token": "t"}
_OTHER = """
import json, sys
from worker.cli.runfile import newest_stack, published_runfile
with published_runfile({"api": "other"}):
    print(json.dumps(newest_stack()), flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def own_file() -> Path:
    return runfile_directory() / f"up-{os.getpid()}.json"


def test_facts_come_back_with_the_process(state: Path) -> None:
    with published_runfile(_FACTS):
        assert newest_stack() == {**_FACTS, "pid": os.getpid()}
        assert own_file().parent == state / "astegni"
        assert own_file().stat().st_mode & 0o777 == 0o600
        assert list(runfile_directory().iterdir()) == [own_file()]
    assert newest_stack() is None
    assert list(runfile_directory().iterdir()) == []


def test_without_a_run_file_there_are_no_facts() -> None:
    assert newest_stack() is None
    assert running_stacks() == []


@pytest.mark.parametrize("content", ["", "[]", "null", "{}", '{"pid": "x", "born": "1"}', '{"pid": -1, "born": "1"}'])
def test_a_damaged_run_file_counts_as_none_and_is_removed(content: str) -> None:
    with published_runfile(_FACTS):
        own_file().write_text(content)
        assert newest_stack() is None
        assert list(runfile_directory().iterdir()) == []


def test_a_killed_process_leaves_no_facts(starter: Starter) -> None:
    process = starter(_OTHER, stdin=-1)
    assert json.loads(process.line())["pid"] == process.pid
    assert newest_stack() is not None
    process.kill()
    process.communicate()
    assert newest_stack() is None


def test_an_id_used_again_is_another_process() -> None:
    with published_runfile(_FACTS):
        stored = json.loads(own_file().read_text())
        own_file().write_text(json.dumps({**stored, "born": "1"}))
        assert newest_stack() is None


def test_of_two_stacks_the_newer_is_used_and_then_the_older_again(starter: Starter) -> None:
    with published_runfile(_FACTS):
        process = starter(_OTHER, stdin=-1)
        assert json.loads(process.line())["api"] == "other"
        assert [facts["api"] for facts in running_stacks()] == ["other", _FACTS["api"]]
        process.communicate("\n")
        assert [facts["api"] for facts in running_stacks()] == [_FACTS["api"]]


def test_a_relative_state_directory_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert runfile_directory() == tmp_path / ".local" / "state" / "astegni"
