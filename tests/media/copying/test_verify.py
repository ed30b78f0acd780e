"""Copies with one fault each: none is accepted as complete, and none that players cannot handle."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.waiting import TIMEOUT
from worker.media.copying.fast_copy import Copy
from worker.media.copying.plan_copy import plan_copy
from worker.media.copying.verify import verify_copy
from worker.media.errors import OutputDamaged, Stopped
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries

Make = Callable[[str], Path]
Probed = Callable[[Path], Probe]
Play = Callable[[Path, Path], Copy]


@pytest.mark.parametrize(
    "name",
    [
        "chrome-vp9.webm",
        "chrome-h264.webm",
        "chrome-audio.webm",
        "one-frame.webm",
        "plain.mp4",
        "sound.m4a",
        "hevc.mp4",
    ],
)
def test_a_whole_copy_is_described(name: str, make: Make, probed: Probed, play: Play, tmp_path: Path) -> None:
    copy = play(make(name), tmp_path / "copy")
    itself = probed(tmp_path / "copy")
    assert copy.duration_ms == itself.duration_ms
    assert (copy.size_bytes, copy.bit_rate) == (itself.size_bytes, itself.bit_rate)
    assert (copy.video is None, copy.audio is None) == (itself.video is None, itself.audio is None)
    if copy.video and itself.video:
        assert (copy.video.codec, copy.video.width, copy.video.height, copy.video.frames) == (
            itself.video.codec, itself.video.width, itself.video.height, itself.video.frames,
        )  # fmt: skip


@pytest.fixture
def fault(make: Make, probed: Probed, play: Play, binaries: Binaries, tmp_path: Path) -> Callable[..., str]:
    """`fault(name, change)`: what is said of a copy whose bytes were changed so."""

    def tell(name: str, change: Callable[[bytes], bytes] = bytes, probe: Probe | None = None) -> str:
        play(make(name), tmp_path / "copy")
        (tmp_path / "copy").write_bytes(change((tmp_path / "copy").read_bytes()))
        truth = probe or probed(make(name))
        try:
            return "; ".join(verify_copy(tmp_path / "copy", truth, plan_copy(truth).form, binaries).faults)
        except OutputDamaged as error:
            return error.detail

    return tell


@pytest.mark.parametrize("name", ["chrome-vp9.webm", "chrome-audio.webm", "chrome-h264.webm", "plain.mp4"])
def test_a_copy_that_was_cut_off(name: str, fault: Callable[..., str]) -> None:
    detail = fault(name, lambda data: data[: len(data) * 3 // 4])
    assert "and it states" in detail
    assert "not right" in detail


def test_a_copy_with_a_hole_in_the_middle(fault: Callable[..., str]) -> None:
    """Both ends are there, and the length; a second of the lesson is not."""

    def without_a_cluster(data: bytes) -> bytes:
        starts = [at for at in range(len(data)) if data.startswith(b"\x1f\x43\xb6\x75", at)]
        middle = len(starts) // 2
        first, second = starts[middle : middle + 2]
        # The size stays what it was: the bytes are covered by an element that readers skip (Void).
        return (
            data[:first]
            + b"\xec\x01"
            + (second - first - 9).to_bytes(7, "big")
            + bytes(second - first - 9)
            + data[second:]
        )

    detail = fault("chrome-vp9.webm", without_a_cluster)
    assert "of 335 frames" in detail
    assert "packets of sound" in detail
    assert "length" not in detail


def test_a_copy_of_something_else(fault: Callable[..., str], make: Make, probed: Probed) -> None:
    longer = replace(probed(make("chrome-vp9.webm")), duration_ms=60_000)
    assert fault("chrome-vp9.webm", probe=longer) == "its real length is 11983 ms, not 60000 ms"
    assert "its picture is vp8, not vp9" in fault("chrome-pause.webm", probe=probed(make("chrome-vp9.webm")))
    assert "not right: its sound is None, not opus" in fault("vp8-silent.webm", probe=probed(make("vp8.webm")))
    assert "it is webm, not mp4" in fault("chrome-vp9.webm", probe=probed(make("chrome-h264.webm")))


def test_a_copy_that_is_no_recording(fault: Callable[..., str]) -> None:
    assert "cannot be read" in fault("chrome-vp9.webm", lambda _: b"")
    assert "cannot be read" in fault("chrome-vp9.webm", lambda data: bytes(len(data)))


@pytest.mark.parametrize(("name", "form"), [("chrome-vp9.webm", "webm"), ("chrome-h264.webm", "mp4")])
def test_an_index_behind_the_pictures(
    name: str, form: str, make: Make, probed: Probed, binaries: Binaries, tmp_path: Path
) -> None:
    command: list[str | Path] = [
        binaries.ffmpeg,
        "-v",
        "error",
        "-nostdin",
        "-i",
        make(name),
        "-c",
        "copy",
        "-f",
        form,
        tmp_path / "copy",
    ]
    subprocess.run(command, check=True, timeout=TIMEOUT)
    with pytest.raises(OutputDamaged, match=r"not right: its index is not in front\.$"):
        verify_copy(tmp_path / "copy", probed(make(name)), plan_copy(probed(make(name))).form, binaries)


def test_the_caller_can_stop(make: Make, probed: Probed, play: Play, binaries: Binaries, tmp_path: Path) -> None:
    play(make("vp8.webm"), tmp_path / "copy")
    media = probed(make("vp8.webm"))
    with pytest.raises(Stopped):
        verify_copy(tmp_path / "copy", media, plan_copy(media).form, binaries, should_stop=lambda: True)
