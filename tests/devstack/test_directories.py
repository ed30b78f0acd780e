import os
import time
from pathlib import Path

import pytest

from devstack.directories import data_directory, scratch_directory
from devstack.errors import AlreadyInUse
from tests.conftest import Starter

_STARTER = """
import sys, time
from pathlib import Path
from devstack.directories import scratch_directory
with scratch_directory(Path(sys.argv[1])) as path:
    print(path, flush=True)
    time.sleep(60)
"""


def _age(path: Path) -> None:
    old = time.time() - 3600
    os.utime(path, (old, old))


def test_it_is_private_and_goes_with_its_block(tmp_path: Path) -> None:
    with scratch_directory(tmp_path) as path:
        assert path.parent == tmp_path
        assert path.stat().st_mode & 0o077 == 0
        (path / "file").touch()

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed(tmp_path: Path, starter: Starter) -> None:
    process = starter(_STARTER, tmp_path)
    left = Path(process.line().strip())
    (left / "folder").mkdir()
    process.kill()
    process.wait()
    _age(left)

    with scratch_directory(tmp_path):
        assert not left.exists()


def test_what_a_living_process_uses_stays_however_old(tmp_path: Path, starter: Starter) -> None:
    process = starter(_STARTER, tmp_path)
    used = Path(process.line().strip())
    _age(used)

    with scratch_directory(tmp_path):
        assert used.exists()


def test_what_was_just_made_stays(tmp_path: Path) -> None:
    """It may not be locked yet."""
    (tmp_path / "devstack-scratch-new").mkdir()

    with scratch_directory(tmp_path):
        assert (tmp_path / "devstack-scratch-new").exists()


def test_strange_things_of_that_name_are_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "devstack-scratch-file").touch()
    (tmp_path / "devstack-scratch-link").symlink_to(elsewhere)
    _age(tmp_path / "devstack-scratch-file")
    _age(elsewhere)

    with scratch_directory(tmp_path):
        pass

    assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", "devstack-scratch-file", "devstack-scratch-link"}


def test_without_a_choice_it_is_removed() -> None:
    with data_directory(None) as path:
        (path / "postgres").mkdir()
    assert not path.exists()


def test_a_chosen_one_is_kept(tmp_path: Path) -> None:
    with data_directory(tmp_path / "a" / "b") as path:
        (path / "postgres").mkdir()

    assert path == tmp_path / "a" / "b"
    assert (path / "postgres").is_dir()
    assert path.stat().st_mode & 0o077 == 0


def test_a_relative_one_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with data_directory(Path("data")) as path:
        assert path == tmp_path / "data"


def test_two_stacks_do_not_share_one(tmp_path: Path) -> None:
    with data_directory(tmp_path), pytest.raises(AlreadyInUse, match="in use"), data_directory(tmp_path):
        pass

    with data_directory(tmp_path):
        pass
