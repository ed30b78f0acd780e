"""Levels of real sound, and the speech in them."""

import subprocess
from pathlib import Path

import pytest

from tests.waiting import TIMEOUT
from worker.media.decoding.sound_levels import STEP_MS, measure_levels, spoken_stretches
from worker.media.processes.binaries import Binaries


def sound(binaries: Binaries, target: Path, source: str, channels: str = "1") -> Path:
    words = ["-f", "lavfi", "-i", source, "-c:a", "libopus", "-ac", channels, "-f", "webm"]
    subprocess.run([binaries.ffmpeg, "-v", "error", "-nostdin", "-y", *words, target], check=True, timeout=TIMEOUT)
    return target


@pytest.mark.parametrize("gain", [0.5, 0.02])
def test_speech_is_found_over_the_noise_of_a_room_however_loud(binaries: Binaries, tmp_path: Path, gain: float) -> None:
    """Tones at 2 and 8 s, over noise 34 dB below them."""
    heard = "between(t,2,4)+between(t,8,9)"
    source = f"aevalsrc='{gain}*(sin(500*2*PI*t)*({heard})+0.02*(random(0)*2-1))':s=48000:d=12"
    path = sound(binaries, tmp_path / "voice.webm", source)

    levels = measure_levels(path, tmp_path, binaries, duration_ms=12_000)

    assert len(levels) * STEP_MS == pytest.approx(12_000, abs=200)
    spoken = spoken_stretches(levels)
    assert [pytest.approx(stretch, abs=250) for stretch in ((1700, 4300), (7700, 9300))] == spoken


def test_speech_with_an_inverted_channel_is_found(binaries: Binaries, tmp_path: Path) -> None:
    voice = "0.3*sin(500*2*PI*t)*between(t,2,4)"
    path = sound(binaries, tmp_path / "inverted.webm", f"aevalsrc='{voice}|-{voice}':s=48000:d=6", channels="2")
    spoken = spoken_stretches(measure_levels(path, tmp_path, binaries, duration_ms=6000))
    assert spoken == [pytest.approx((1700, 4300), abs=250)]


def test_a_microphone_that_was_off_speaks_nowhere(binaries: Binaries, tmp_path: Path) -> None:
    path = sound(binaries, tmp_path / "off.webm", "anullsrc=r=48000:cl=mono:d=3")
    assert spoken_stretches(measure_levels(path, tmp_path, binaries, duration_ms=3000)) == []


def test_without_a_pause_all_is_speech() -> None:
    levels = [-20.0 - number % 7 for number in range(600)]
    assert spoken_stretches(levels) == [(-300, 60_300)]
    assert spoken_stretches([]) == []
