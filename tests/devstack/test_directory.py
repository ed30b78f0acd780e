from pathlib import Path

import pytest

from devstack.directory import data_directory
from devstack.errors import AlreadyInUse


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
