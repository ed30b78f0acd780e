"""Sounds that are heard when they should be, whatever their files are."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np
import pytest

from tests.waiting import TIMEOUT
from worker.media.films.mix import Sound, SoundPiece, mixed_sounds
from worker.media.processes.binaries import Binaries, find_binaries
from worker.settings import Settings

RATE = 48_000
Tone = Callable[..., Path]


@pytest.fixture(scope="module")
def binaries() -> Binaries:
    return find_binaries(Settings())


@pytest.fixture
def tone(binaries: Binaries, tmp_path: Path) -> Tone:
    """`tone(name, loud=…, seconds=…)`: a file that is loud in these stretches and silent otherwise."""

    def write(name: str, *words: str, loud: list[tuple[float, float]], seconds: float = 10, hertz: int = 1000) -> Path:
        heard = "+".join(f"between(t,{start},{end})" for start, end in loud)
        source = f"aevalsrc='0.3*sin({hertz}*2*PI*t)*({heard})':s=48000:d={seconds}"
        path = tmp_path / name
        command = [str(binaries.ffmpeg), "-v", "error", "-nostdin", "-f", "lavfi", "-i", source, *words, str(path)]
        subprocess.run(command, check=True, timeout=TIMEOUT)
        return path

    return write


@pytest.fixture
def hear(binaries: Binaries) -> Callable[..., list[tuple[float, float]]]:
    """`hear(sounds)`: the stretches in which something is heard, in seconds."""

    def listen(*sounds: Sound) -> list[tuple[float, float]]:
        words = ffmpeg.get_args(ffmpeg.output(mixed_sounds(sounds, binaries), "pipe:1", f="s16le", ac=1, ar=RATE))
        raw = subprocess.run(
            [binaries.ffmpeg, "-v", "error", "-nostdin", *words], check=True, capture_output=True, timeout=TIMEOUT
        ).stdout
        samples = np.abs(np.frombuffer(raw, np.int16).astype(int))
        loud = samples[: len(samples) // 480 * 480].reshape(-1, 480).max(axis=1) > 2000
        edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(int)))
        return [(start / 100, end / 100) for start, end in edges.reshape(-1, 2)]

    return listen


def near(*stretches: tuple[float, float]) -> Any:
    return [pytest.approx(stretch, abs=0.03) for stretch in stretches]


OPUS = ("-c:a", "libopus", "-b:a", "24k")


def test_a_voice_with_an_inverted_channel_is_heard(tone: Tone, hear: Callable[..., Any]) -> None:
    path = tone("inverted.webm", "-af", "pan=stereo|c0=c0|c1=-1*c0", *OPUS, loud=[(1, 2)])
    assert hear(Sound(path, [SoundPiece(0, 0, 10_000)])) == near((1, 2))


def test_a_sound_is_heard_later(tone: Tone, hear: Callable[..., Any]) -> None:
    path = tone("a.webm", *OPUS, loud=[(1, 2)])
    assert hear(Sound(path, [SoundPiece(0, 0, 10_000)])) == near((1, 2))
    assert hear(Sound(path, [SoundPiece(3_500, 0, 10_000)])) == near((4.5, 5.5))


def test_pieces_are_cut_out_and_moved(tone: Tone, hear: Callable[..., Any]) -> None:
    path = tone("a.webm", *OPUS, loud=[(1, 2), (4, 5), (7, 8)])
    pieces = [SoundPiece(500, 500, 2_000), SoundPiece(2_500, 6_000, 3_000)]
    assert hear(Sound(path, pieces)) == near((1, 2), (3.5, 4.5))
    # Somebody else speaks between the two.
    pieces = [SoundPiece(0, 0, 2_500), SoundPiece(6_000, 2_500, 7_500)]
    assert hear(Sound(path, pieces)) == near((1, 2), (7.5, 8.5), (10.5, 11.5))


def test_several_are_heard_together(tone: Tone, hear: Callable[..., Any]) -> None:
    first = Sound(tone("a.webm", *OPUS, loud=[(1, 2)]), [SoundPiece(0, 0, 10_000)])
    second = Sound(tone("b.m4a", "-c:a", "aac", "-f", "mp4", loud=[(1, 3)], hertz=300), [SoundPiece(4_000, 0, 10_000)])
    assert hear(first, second) == near((1, 2), (5, 7))


def test_a_loss_in_the_file_is_silence_of_its_length(
    tone: Tone, hear: Callable[..., Any], binaries: Binaries, tmp_path: Path
) -> None:
    whole, lost = tone("a.webm", *OPUS, loud=[(1, 2), (7, 8)]), tmp_path / "lost.webm"
    drop = ["-bsf:a", "noise=drop='between(pts*tb,3,6)'", "-c", "copy"]
    subprocess.run([binaries.ffmpeg, "-v", "error", "-nostdin", "-i", whole, *drop, lost], check=True, timeout=TIMEOUT)
    assert hear(Sound(lost, [SoundPiece(0, 0, 10_000)])) == near((1, 2), (7, 8))
    pieces = [SoundPiece(0, 0, 3_000), SoundPiece(3_000, 6_000, 4_000)]
    assert hear(Sound(lost, pieces)) == near((1, 2), (4, 5))


def test_a_sound_may_have_hundreds_of_pieces(tone: Tone, hear: Callable[..., list[tuple[float, float]]]) -> None:
    """A recorder that was paused before each sentence."""
    pieces = [SoundPiece(at, 2 * at, 100) for at in range(0, 15_000, 100)]
    path = tone("tone.webm", loud=[(8, 12)], seconds=30)
    heard = hear(Sound(path, pieces))
    assert (heard[0][0], heard[-1][1]) == pytest.approx((4, 6), abs=0.1)
