"""Backblaze's own command with folders and with gigabytes."""

import os
from collections.abc import Callable
from pathlib import Path

from devstack.emulator.embedded import EmbeddedB2
from tests.conformance.conftest import Command, FlatMemory

HUGE = 2_000_000_000


def test_a_folder_in_step(b2_command: Command, folder: Path, blobs: Callable[[], int]) -> None:
    before = blobs()
    here, back = folder / "here", folder / "back"
    (here / "größer und").mkdir(parents=True)
    back.mkdir()
    for name in ("a.txt", "größer und/b + c.bin", "größer und/ትምህርት.bin"):
        (here / name).write_bytes(os.urandom(200_000))
    b2_command("bucket", "create", "in-step", "allPrivate")
    sync = ["sync", "--no-progress", "--delete", "--replace-newer"]
    b2_command(*sync, here, "b2://in-step/x")
    b2_command(*sync, "b2://in-step/x", back)
    assert contents(back) == contents(here)
    (here / "a.txt").unlink()
    assert b2_command(*sync, here, "b2://in-step/x").strip()
    b2_command(*sync, "b2://in-step/x", back)
    assert contents(back) == contents(here)
    b2_command("rm", "--recursive", "--versions", "--no-progress", "b2://in-step")
    b2_command("bucket", "delete", "in-step")
    assert blobs() == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_gigabytes(
    b2_command: Command,
    server: EmbeddedB2,
    sparse: Callable[[str, int], Path],
    folder: Path,
    digest: Callable[[Path], str],
    flat_memory: FlatMemory,
    blobs: Callable[[], int],
) -> None:
    huge, back, bucket = sparse("huge.bin", HUGE), folder / "back.bin", server.credentials.bucket
    b2_command("ls", f"b2://{bucket}")
    before = blobs()
    with flat_memory():
        b2_command("file", "upload", "--no-progress", "--threads", 10, bucket, huge, "huge.bin")
        b2_command("file", "download", "--no-progress", "--threads", 10, f"b2://{bucket}/huge.bin", back)
    assert blobs() == before + 20
    assert digest(back) == digest(huge)
    b2_command("rm", "--versions", "--no-progress", f"b2://{bucket}/huge.bin")
    assert blobs() == before
