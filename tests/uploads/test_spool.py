"""The spool: files are complete or absent, limits hold, and leftovers are found."""

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from tests.waiting import TIMEOUT
from worker.errors import NotFound, OutOfSpace, TooLarge
from worker.uploads.spool import Spool
from worker.uploads.spool_writer import SpoolFile, SpoolWriter

GONE = "0" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "spool"


@pytest.fixture
def spool(folder: Path) -> Spool:
    return Spool(folder)


def put(spool: Spool, content: bytes = b"lesson") -> SpoolFile:
    with spool.receive(limit=10**9) as receiver:
        receiver.write(content)
        return receiver.seal()


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_sealed_file_is_whole_and_told_by_its_digest(spool: Spool, folder: Path) -> None:
    with spool.receive(limit=100) as receiver:
        for chunk in (b"", b"abc", bytearray(b"def"), memoryview(b"ghi")):
            receiver.write(bytes(chunk))
        assert receiver.size == 9
        assert [name.endswith(".part") for name in names(folder)] == [True]
        file = receiver.seal()

    assert spool.path(file.name).read_bytes() == b"abcdefghi"
    assert (file.size, file.sha1) == (9, hashlib.sha1(b"abcdefghi", usedforsecurity=False).hexdigest())
    assert names(folder) == [file.name]
    assert len(file.name) == 32


@pytest.mark.parametrize("there_before", [False, True])
def test_no_other_account_can_read_what_waits(folder: Path, there_before: bool) -> None:
    if there_before:
        folder.mkdir(parents=True, mode=0o755)
    spool = Spool(folder)
    mask = os.umask(0o000)
    try:
        with spool.receive(limit=100) as receiver, spool.workspace(uuid4()) as workspace:
            receiver.write(b"lesson")
            (part,) = folder.glob("*.part")
            modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, part, workspace.parent, workspace)]
            sealed = folder / receiver.seal().name
    finally:
        os.umask(mask)
    assert modes == [0o700, 0o600, 0o700, 0o700]
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600


def test_names_tell_nothing_and_never_repeat(spool: Spool) -> None:
    assert len({put(spool).name for _ in range(50)}) == 50


def test_what_is_not_sealed_is_not_there(spool: Spool, folder: Path) -> None:
    with spool.receive(limit=100) as receiver:
        receiver.write(b"half")
        unsealed = names(folder)[0].removesuffix(".part")
        with pytest.raises(NotFound):
            spool.path(unsealed)
        assert list(spool.names(older_than=-1)) == []
    assert names(folder) == []
    with pytest.raises(RuntimeError), spool.receive(limit=100) as receiver:
        receiver.write(b"half")
        raise RuntimeError
    assert names(folder) == []


def test_a_discard_after_the_seal_does_nothing(spool: Spool, folder: Path) -> None:
    with spool.receive(limit=100) as receiver:
        file = receiver.seal()
        receiver.discard()
    receiver.discard()

    assert names(folder) == [file.name]


def test_the_limit_is_exact(spool: Spool, folder: Path) -> None:
    with spool.receive(limit=10) as receiver:
        receiver.write(bytes(10))
        assert receiver.seal().size == 10
    with spool.receive(limit=10) as receiver:
        receiver.write(bytes(9))
        with pytest.raises(TooLarge, match="10 bytes"):
            receiver.write(bytes(2))

    assert len(names(folder)) == 1


def test_the_reserve_is_never_used_up(folder: Path) -> None:
    folder.mkdir(parents=True)
    free = shutil.disk_usage(folder).free
    half = Spool(folder, reserve=free // 2)

    half.receive(limit=10**15, expected=1000).discard()
    with pytest.raises(OutOfSpace):
        half.receive(limit=10**15, expected=free)
    # Nobody said how much will come: it is found out on the way.
    full = Spool(folder, reserve=free * 2)
    with full.receive(limit=10**9) as receiver, pytest.raises(OutOfSpace):
        for _ in range(20):
            receiver.write(bytes(1_000_000))
    assert names(folder) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../../etc/passwd",
        "/etc/passwd",
        "work",
        GONE + ".part",
        GONE + "\n",
        GONE.upper().replace("0", "A"),
        "g" * 32,
        GONE[:-1],
        GONE[:-1] + "/",
        "\u0660" * 32,
        "a/../" + GONE[:-5],
    ],
)
def test_only_names_of_its_own_making_are_looked_up(spool: Spool, folder: Path, name: str) -> None:
    (folder / "work").mkdir()
    (folder / (GONE + ".part")).touch()

    for call in (spool.path, spool.remove):
        with pytest.raises(NotFound):
            call(name)
    assert names(folder) == [GONE + ".part", "work"]


def test_a_folder_under_a_files_name_is_no_file(spool: Spool, folder: Path) -> None:
    (folder / GONE).mkdir()

    with pytest.raises(NotFound):
        spool.path(GONE)


def test_remove_is_harmless_when_it_is_gone(spool: Spool, folder: Path) -> None:
    file = put(spool)

    spool.remove(file.name)
    spool.remove(file.name)

    assert names(folder) == []
    with pytest.raises(NotFound, match=file.name):
        spool.path(file.name)


def test_old_files_are_listed_by_their_age(spool: Spool, folder: Path) -> None:
    old, young = put(spool), put(spool)
    age(folder / old.name, 100)
    (folder / "notes.txt").touch()
    age(folder / "notes.txt", 1000)

    assert list(spool.names(older_than=50)) == [old.name]
    assert sorted(spool.names(older_than=-1)) == sorted([old.name, young.name])


def test_debris_goes_and_what_is_young_or_complete_stays(spool: Spool, folder: Path) -> None:
    complete = put(spool)
    (folder / f"{GONE}.part").write_bytes(b"old half")
    for path in (folder / complete.name, folder / f"{GONE}.part"):
        age(path, 100)
    with spool.receive(limit=100) as receiver:
        receiver.write(b"young half")
        assert spool.remove_debris(older_than=50) == 1
        assert spool.path(receiver.seal().name).read_bytes() == b"young half"

    assert (folder / complete.name).exists()
    assert spool.remove_debris(older_than=50) == 0


def test_a_lock_without_its_upload_is_debris(spool: Spool, folder: Path) -> None:
    left, kept = spool.upload("a" * 32), spool.upload("b" * 32)
    for each in (left, kept):
        each.create()
    # What a crash in the middle of a removal leaves.
    left.path.unlink()
    for path in folder.glob("*.lock"):
        age(path, 100)

    assert spool.remove_debris(older_than=50) == 1
    assert [path.name for path in folder.glob("*.lock")] == [f"{'b' * 32}.lock"]


def test_a_workspace_is_on_the_same_disk_and_gone_at_the_end(spool: Spool, folder: Path) -> None:
    with spool.workspace(uuid4()) as first, spool.workspace(uuid4()) as second:
        assert first != second
        assert first.stat().st_dev == folder.stat().st_dev
        (first / "playback.webm").write_bytes(b"x")
        assert list(spool.names(older_than=-1)) == []
    with pytest.raises(RuntimeError), spool.workspace(uuid4()) as third:
        (third / "deep").mkdir()
        raise RuntimeError

    assert names(folder / "work") == []


def test_what_a_killed_attempt_left_goes_with_the_next_one(spool: Spool, folder: Path) -> None:
    mine, other = uuid4(), uuid4()
    for job_id in (mine, other):
        (folder / "work" / f"{job_id.hex}-killed").mkdir(parents=True)
        (folder / "work" / f"{job_id.hex}-killed" / "playback").write_bytes(b"x" * 1000)

    with spool.workspace(mine) as workspace:
        assert names(folder / "work") == sorted([workspace.name, f"{other.hex}-killed"])

    assert names(folder / "work") == [f"{other.hex}-killed"]


def test_folders_of_jobs_that_no_longer_run_go(spool: Spool, folder: Path) -> None:
    with spool.workspace(running := uuid4()) as alive:
        (folder / "work" / f"{uuid4().hex}-killed").mkdir()
        (folder / "work" / "of-an-earlier-release").mkdir()

        assert spool.remove_workspaces(spool.workspaces(), running={running}) == 2
        assert names(folder / "work") == [alive.name]


def test_two_processes_share_a_spool(spool: Spool, folder: Path) -> None:
    file = put(spool, b"from here")

    assert Spool(folder).path(file.name).read_bytes() == b"from here"


def test_a_killed_receiver_leaves_only_debris(folder: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from worker.uploads.spool import Spool\n"
        "receiver = Spool(Path(sys.argv[1])).receive(limit=10**6); receiver.write(b'half')\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(folder)], check=False, timeout=TIMEOUT)

    assert killed.returncode == -9
    assert list(Spool(folder).names(older_than=-1)) == []
    assert Spool(folder).remove_debris(older_than=-1) == 1
    assert names(folder) == []


def test_a_full_disk_is_named_and_has_room_again(small_disk: Callable[[str], Path]) -> None:
    folder = small_disk("1m") / "spool"
    spool = Spool(folder)
    with spool.receive(limit=10**9) as receiver, pytest.raises(OutOfSpace):
        for _ in range(30):
            receiver.write(bytes(100_000))

    assert names(folder) == []
    assert put(spool, bytes(500_000)).size == 500_000


def test_a_receiver_cannot_take_anothers_place(spool: Spool, folder: Path) -> None:
    first = SpoolWriter(folder / GONE, 10, spool.require_space)

    with pytest.raises(FileExistsError):
        SpoolWriter(folder / GONE, 10, spool.require_space)
    first.discard()
