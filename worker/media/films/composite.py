"""Compose one film from several pictures and sounds: a large picture, small ones in a corner, each at its time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.copying.encode import PICTURE
from worker.media.decoding.changing_size import ONE_GRAPH, fitted, padded
from worker.media.decoding.transparency import alpha_decoder, on_white
from worker.media.films.matroska_pipe import Planes, stream
from worker.media.films.mix import VOICE, Sound, SoundPiece, mixed_sounds
from worker.media.limits import input_options
from worker.media.probing.header import read_header
from worker.media.probing.streams import has_alpha
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget, memory_for, never
from worker.media.processes.filter_expression import summed
from worker.media.processes.runner import run_ffmpeg
from worker.media.whole_files import removed_on_failure

WIDTH, HEIGHT = 1280, 720
# A quarter of the width: a face is recognisable, and little of the board is covered.
CORNER_WIDTH, CORNER_HEIGHT = 320, 180
_MARGIN = 16
# Corner pictures are stacked upwards from the bottom right.
MAX_CORNERS = 3
# Enough for a face and a scrolled page; a board changes ten times a second.
_RATE = 15
_SURROUND = "0x3a3f47"


@dataclass(frozen=True)
class Overlay:
    """A file and the pieces of its picture to show. `corner` counts from the bottom; None: the whole frame."""

    path: Path
    pieces: Sequence[SoundPiece]
    corner: int | None = None


def write_composite(
    target: Path,
    binaries: Binaries,
    *,
    duration_ms: int,
    board: Iterable[tuple[int, Planes]] | None,
    pictures: Sequence[Overlay],
    sounds: Sequence[Sound],
    should_stop: Callable[[], bool] = never,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Write the film to `target` as MP4. `board` are the frames below all pictures; later pictures cover earlier ones.

    `on_progress` receives the seconds of film written. Raises what the runner raises; then `target` is deleted.
    """
    seconds = duration_ms / 1000
    base = _background(seconds) if board is None else _frames()
    tracks = [
        _composed(base, pictures, binaries),
        *([mixed_sounds(sounds, binaries, should_stop=should_stop)] if sounds else []),
    ]
    options = {**PICTURE, **(VOICE if sounds else {}), "f": "mp4", "fflags": "+bitexact", "map_metadata": "-1"}
    words = ffmpeg.get_args(ffmpeg.output(*tracks, str(target.absolute()), **options))
    with removed_on_failure(target):
        run_ffmpeg(
            binaries,
            words,
            budget=_budget(duration_ms, len(pictures) + len(sounds)),
            should_stop=should_stop,
            on_progress=on_progress,
            fed=None if board is None else stream(board, WIDTH, HEIGHT, 100),
        )


def _budget(duration_ms: int, inputs: int) -> Budget:
    return Budget(
        wall_seconds=600 + 2 * duration_ms / 1000,
        stall_seconds=120,
        memory_bytes=memory_for(inputs),
        # 4 Mbit/s is more than this quality ever needs at this size.
        file_bytes=64 * 1024 * 1024 + duration_ms * 500,
    )


def _background(seconds: float) -> Any:
    return ffmpeg.input(f"color=c={_SURROUND}:s={WIDTH}x{HEIGHT}:r={_RATE}:d={seconds:.3f}", f="lavfi")["v:0"]


def _frames() -> Any:
    frames = ffmpeg.input(
        "pipe:0", f="matroska", protocol_whitelist="pipe", format_whitelist="matroska", codec_whitelist="rawvideo"
    )
    # The overlay filter outputs one picture for each of its first input.
    return frames["v:0"].filter("fps", _RATE)


def _composed(base: Any, pictures: Sequence[Overlay], binaries: Binaries) -> Any:
    for picture in pictures:
        shown = _windows([(piece.at, piece.length) for piece in picture.pieces])
        base = ffmpeg.filter([base, _placed(picture, binaries)], "overlay", **_place(picture.corner), enable=shown)
    return base


def _place(corner: int | None) -> dict[str, str]:
    if corner is None:
        return {"x": "0", "y": "0"}
    return {"x": f"W-w-{_MARGIN}", "y": f"H-h-{_MARGIN + corner * (CORNER_HEIGHT + _MARGIN)}"}


def _placed(picture: Overlay, binaries: Binaries) -> Any:
    """The picture, scaled and shifted to the times of the film."""
    header = read_header(picture.path, binaries)
    video = header.parts[0].tracks["video"]
    decoder = alpha_decoder(str(video["codec_name"]), alpha=has_alpha(video))
    # The file's sound has an input of its own: with a shared one, picture and sound could block each other.
    media = ffmpeg.input(str(picture.path.absolute()), **input_options(header.demuxer), **ONE_GRAPH, **decoder, an=None)
    moved = (
        media["v:0"]
        .filter("select", _windows([(piece.start, piece.length) for piece in picture.pieces]))
        .filter("setpts", f"PTS+({_late(picture.pieces)})/TB")
    )
    width, height = (WIDTH, HEIGHT) if picture.corner is None else (CORNER_WIDTH, CORNER_HEIGHT)
    shown = fitted(moved, width, height)
    if picture.corner is not None and not decoder:
        return shown
    framed = padded(shown, width, height, _SURROUND)
    return on_white(framed) if decoder else framed


def _windows(stretches: Iterable[tuple[int, int]]) -> str:
    """A filter expression: whether a frame's time is in one of these (start, length), in milliseconds."""
    return summed([f"between(t,{start / 1000:.3f},{(start + length) / 1000:.3f})" for start, length in stretches])


def _late(pieces: Sequence[SoundPiece]) -> str:
    """A filter expression: by how many seconds a frame's piece is later in the film than in the file."""
    late = [piece.at - piece.start for piece in pieces]
    steps = [
        f"gte(T,{piece.start / 1000:.3f})*{(behind - before) / 1000:.3f}"
        for piece, before, behind in zip(pieces[1:], late, late[1:], strict=False)
    ]
    return summed([f"{late[0] / 1000:.3f}", *steps])
