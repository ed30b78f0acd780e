"""rclone, a third-party client of version 1 of the API: copy, check, move, server-side copy, purge."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.conformance.conftest import Command, FlatMemory
from tests.waiting import TIMEOUT

BUCKET = "b2:strangers"
NAMES = ["a.txt", "leer und größer/ትምህርት 1.bin", "deep/er/b + c & d.txt", "100%25.txt", "📼.txt"]
BIG = 210_000_000
# rclone copies at the server in parts above 4 GiB only; here sooner, so that it does.
IN_PARTS = ["--b2-copy-cutoff", "100M", "--b2-chunk-size", "50M"]


@pytest.fixture
def tree(folder: Path) -> Path:
    """A folder with the names above, some empty, some not."""
    for number, name in enumerate(NAMES):
        path = folder / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(number * 100_000))
    return folder / "tree"


@pytest.fixture(autouse=True)
def bucket(rclone: Command, blobs: Callable[[], int]) -> Iterator[None]:
    """A bucket of the test's own; nothing of it may be left."""
    before = blobs()
    rclone("mkdir", BUCKET)
    yield
    rclone("purge", BUCKET)
    assert "strangers" not in rclone("lsd", "b2:")
    assert blobs() == before


def names(rclone: Command, where: str = BUCKET, *options: str) -> list[str]:
    return sorted(
        entry["Path"] for entry in json.loads(rclone("lsjson", "--recursive", "--files-only", *options, where))
    )


def test_a_folder_goes_there_and_back(rclone: Command, tree: Path, folder: Path) -> None:
    rclone("copy", tree, BUCKET)
    assert names(rclone) == sorted(NAMES)
    rclone("check", "--download", tree, BUCKET)
    rclone("check", tree, BUCKET)  # by SHA-1
    rclone("copy", BUCKET, folder / "back")
    for name in NAMES:
        assert (folder / "back" / name).read_bytes() == (tree / name).read_bytes()
    # Times come back as well, so a second copy has nothing to do.
    assert "There was nothing to transfer" in rclone("copy", "-v", "--log-file", "/dev/stdout", tree, BUCKET)


def test_moves_and_copies_at_the_server(rclone: Command, tree: Path) -> None:
    rclone("copy", tree, BUCKET)
    rclone("moveto", f"{BUCKET}/{NAMES[1]}", f"{BUCKET}/moved/nach hier.bin")
    rclone("copyto", f"{BUCKET}/{NAMES[2]}", f"{BUCKET}/copied.txt")
    assert names(rclone) == sorted([*NAMES[:1], *NAMES[2:], "moved/nach hier.bin", "copied.txt"])
    rclone("copyto", f"{BUCKET}/moved/nach hier.bin", tree / "back.bin")
    assert (tree / "back.bin").read_bytes() == (tree / NAMES[1]).read_bytes()
    rclone("deletefile", f"{BUCKET}/copied.txt")
    assert "copied.txt" not in names(rclone, BUCKET, "--b2-versions")


def test_old_versions_are_listed_and_cleaned_up(rclone: Command, tree: Path) -> None:
    rclone("copy", tree, BUCKET)
    (tree / "a.txt").write_text("newer")
    rclone("copy", tree, BUCKET)
    assert len(names(rclone, BUCKET, "--b2-versions")) == len(NAMES) + 1
    rclone("cleanup", BUCKET)
    assert names(rclone, BUCKET, "--b2-versions") == sorted(NAMES)


def test_a_big_file_in_parts(
    rclone: Command,
    sparse: Callable[[str, int], Path],
    folder: Path,
    digest: Callable[[Path], str],
    flat_memory: FlatMemory,
) -> None:
    big = sparse("big one.bin", BIG)
    rclone("lsd", "b2:")
    with flat_memory():
        rclone("copyto", *IN_PARTS, "--b2-upload-cutoff", "100M", big, f"{BUCKET}/big one.bin")
        rclone("copyto", *IN_PARTS, f"{BUCKET}/big one.bin", f"{BUCKET}/at the server.bin")
        rclone("copyto", f"{BUCKET}/at the server.bin", folder / "back.bin")
    assert digest(folder / "back.bin") == digest(big)
    assert names(rclone) == ["at the server.bin", "big one.bin"]


def test_links_open_for_whoever_has_them(rclone: Command, tree: Path) -> None:
    rclone("copy", tree, BUCKET)
    link = rclone("link", "--expire", "1h", f"{BUCKET}/{NAMES[1]}").strip()
    assert requests.get(link, timeout=TIMEOUT).content == (tree / NAMES[1]).read_bytes()
    assert requests.get(link.partition("?")[0], timeout=TIMEOUT).status_code == 401
