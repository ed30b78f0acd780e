"""Pictures that go into ffmpeg through a pipe, and what happens when one of the two ends breaks."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.waiting import TIMEOUT
from worker.media.errors import FfmpegFailed, Stopped
from worker.media.films.matroska_pipe import Planes, stream
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget
from worker.media.processes.runner import run_ffmpeg

WIDTH, HEIGHT = 320, 180
TIMES = [0, 100, 5000, 70_000]
READ = ["-f", "matroska", "-i", "pipe:0"]


def frames() -> Iterator[tuple[int, Planes]]:
    planes = np.empty(WIDTH * HEIGHT * 3 // 2, np.uint8)
    for number, at in enumerate(TIMES):
        planes[:] = 40 * (number + 1)  # the same memory every time
        yield at, planes


def endless() -> Iterator[bytes | memoryview]:
    yield from stream(frames(), WIDTH, HEIGHT, 100)
    while True:
        yield bytes(100_000)


def test_pictures_arrive_with_their_times(binaries: Binaries, tmp_path: Path) -> None:
    raw = ["-fps_mode", "passthrough", "-c", "copy", "-f", "matroska", str(tmp_path / "copy.mkv")]
    run_ffmpeg(binaries, [*READ, *raw], budget=Budget(TIMEOUT), fed=stream(frames(), WIDTH, HEIGHT, 100))

    command: list[str | Path] = [
        binaries.ffprobe,
        "-v",
        "error",
        "-of",
        "json",
        "-show_packets",
        "-show_streams",
        tmp_path / "copy.mkv",
    ]
    document = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT).stdout)
    assert [round(1000 * float(packet["pts_time"])) for packet in document["packets"]] == TIMES
    assert (document["streams"][0]["width"], document["streams"][0]["color_space"]) == (WIDTH, "bt709")
    decode: list[str | Path] = [binaries.ffmpeg, "-v", "error", "-i", tmp_path / "copy.mkv", "-fps_mode", "passthrough"]
    pixels = subprocess.run([*decode, "-f", "rawvideo", "-"], check=True, capture_output=True, timeout=TIMEOUT).stdout
    assert pixels == b"".join(planes.tobytes() for _at, planes in frames())


def test_what_the_feeder_raises_ends_the_run(binaries: Binaries) -> None:
    def broken() -> Iterator[bytes | memoryview]:
        yield from stream(frames(), WIDTH, HEIGHT, 100)
        raise ValueError("no more pictures")

    with pytest.raises(ValueError, match="no more pictures"):
        run_ffmpeg(binaries, [*READ, "-f", "null", "-"], budget=Budget(TIMEOUT), fed=broken())


def test_a_program_that_reads_no_more_says_why(binaries: Binaries) -> None:
    with pytest.raises(FfmpegFailed):
        run_ffmpeg(binaries, [*READ, "-f", "no-such-format", "-"], budget=Budget(TIMEOUT), fed=endless())


def test_a_fed_run_can_be_stopped(binaries: Binaries) -> None:
    stop_answers = iter([False] * 20)
    with pytest.raises(Stopped):
        run_ffmpeg(
            binaries,
            [*READ, "-f", "null", "-"],
            budget=Budget(TIMEOUT),
            should_stop=lambda: next(stop_answers, True),
            fed=endless(),
        )
