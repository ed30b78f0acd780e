"""Sounds of several channels, by real ffmpeg: whether they cancel each other out in a mix."""

import subprocess
from pathlib import Path

import pytest

from tests.waiting import TIMEOUT
from worker.media.decoding.downmix import channels_cancel
from worker.media.processes.binaries import Binaries

VOICE = "0.2*sin(2*PI*440*t)*gt(sin(9*t),0)"


@pytest.mark.parametrize(
    ("channels", "cancel"),
    [
        (f"{VOICE}|-({VOICE})", True),
        # One side of the cable is weaker, and each has noise of its own.
        (f"{VOICE}+0.002*random(0)|-0.7*{VOICE}+0.002*random(1)", True),
        (f"{VOICE}|{VOICE}", False),
        (f"{VOICE}|0", False),
        (f"0|{VOICE}", False),
        ("0.2*(random(0)*2-1)|0.2*(random(1)*2-1)", False),
        ("0|0", False),
        (VOICE, False),
    ],
)
@pytest.mark.parametrize("name", ["voice.webm", "voice.m4a"])
def test_channels_of_which_one_is_inverted_cancel_each_other_out(
    binaries: Binaries, tmp_path: Path, name: str, channels: str, cancel: bool
) -> None:
    path = tmp_path / name
    words = ["-f", "lavfi", "-i", f"aevalsrc='{channels}':s=48000:d=3", "-b:a", "64k"]
    subprocess.run([binaries.ffmpeg, "-v", "error", "-nostdin", *words, path], check=True, timeout=TIMEOUT)
    assert channels_cancel(path, binaries) is cancel
