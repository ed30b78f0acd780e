"""Mix the sounds of several files: which pieces of each are heard, and when. Filters for ffmpeg-python."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.containers.kinds import detect_demuxer
from worker.media.copying.encode import sound_filters
from worker.media.decoding.downmix import channels_cancel, mono
from worker.media.limits import input_options
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import never
from worker.media.processes.filter_expression import summed

_RATE = 48_000
# Speech of one or several people; stereo would cost twice as much without placing anybody in space.
VOICE = {"c:a": "aac", "b:a": "64k", "ac": 1, "ar": _RATE, "flags:a": "+bitexact"}


@dataclass(frozen=True, slots=True)
class SoundPiece:
    """A piece of a file, in milliseconds: it starts at `start` in the file, lasts `length`, and is heard from `at`."""

    at: int
    start: int
    length: int


@dataclass(frozen=True)
class Sound:
    """A file and the pieces of its sound that are heard: at least one, in the order of the file and of the result."""

    path: Path
    pieces: Sequence[SoundPiece]


def mixed_sounds(sounds: Sequence[Sound], binaries: Binaries, *, should_stop: Callable[[], bool] = never) -> Any:
    """All of them mixed, as a stream that begins at 0. Raises what the runner raises."""
    return sound_filters(
        [_placed(sound, channels_cancel(sound.path, binaries, should_stop=should_stop)) for sound in sounds]
    )


def _placed(sound: Sound, cancels: bool) -> Any:
    """The sound of one file from 0 on, with silence between its pieces and where packets of the file are missing."""
    media = ffmpeg.input(str(sound.path.absolute()), **input_options(detect_demuxer(sound.path)), vn=None)
    stream = _on_clock(mono(media["a:0"], cancels=cancels).filter("aformat", sample_rates=_RATE))
    first = sound.pieces[0]
    if len(sound.pieces) > 1 or first.start > 0:
        # Short frames: each is either heard as a whole or silent.
        stream = stream.filter("asetnsamples", _RATE // 100).filter("aselect", _heard(sound.pieces))
        stream = _on_clock(stream.filter("asetpts", f"PTS-({_moved(sound.pieces)})/TB"))
    return stream.filter("adelay", first.at, all=1) if first.at else stream


def _on_clock(stream: Any) -> Any:
    """The stream with silence in the gaps between its timestamps; its first sample is at 0."""
    return stream.filter("aresample", **{"async": 1000, "first_pts": 0})


def _heard(pieces: Sequence[SoundPiece]) -> str:
    """A filter expression: whether a frame's time is in one of the pieces."""
    return summed(
        [f"between(t,{piece.start / 1000:.3f},{(piece.start + piece.length) / 1000 - 0.001:.3f})" for piece in pieces]
    )


def _moved(pieces: Sequence[SoundPiece]) -> str:
    """A filter expression: by how many seconds a frame's piece comes earlier than in the file."""
    early = [piece.start - (piece.at - pieces[0].at) for piece in pieces]
    steps = [
        f"gte(T,{piece.start / 1000:.3f})*{(after - before) / 1000:.3f}"
        for piece, before, after in zip(pieces[1:], early, early[1:], strict=False)
    ]
    return summed([f"{early[0] / 1000:.3f}", *steps])
