"""Sample a frame of a film for each time interval: from key frames, or from all frames if those are too rare.

Unneeded key frames are dropped before the decoder, so that an hour costs about a hundred decoded frames.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.decoding.changing_size import ONE_GRAPH, fitted, padded
from worker.media.decoding.colours import still_colours
from worker.media.decoding.transparency import alpha_decoder, on_white
from worker.media.limits import DEFAULT_LIMITS, Demuxer, input_options
from worker.media.probing.header import Header
from worker.media.probing.streams import has_alpha
from worker.media.processes.budget import Budget


@dataclass(frozen=True)
class Film:
    """A fast copy with a picture, as players show it: upright, in square pixels."""

    path: Path
    demuxer: Demuxer
    codec: str
    alpha: bool
    width: int
    height: int
    duration_ms: int
    # Its YUV matrix by ffmpeg's name; "unknown" where none is stated.
    color_space: str = "unknown"

    def sampled(self, interval_ms: int, width: int, height: int, *, keys_only: bool) -> Any:
        """The first frame of each interval, each in its shape in a frame of this size, as an ffmpeg-python node.

        `keys_only`: only key frames are decoded.
        """
        options: dict[str, Any] = {**input_options(self.demuxer, DEFAULT_LIMITS), **ONE_GRAPH, "threads": 1}
        seconds = f"{interval_ms / 1000:.3f}"
        if keys_only:
            # ld(0) is the start of the next interval without a frame.
            following = f"st(0,(floor(pts*tb/{seconds})+1)*{seconds})"
            options["bsf:v"] = f"noise=drop='if(key*gte(pts*tb,ld(0)),0*{following},1)'"
        decoder = alpha_decoder(self.codec, alpha=self.alpha)
        picture = ffmpeg.input(str(self.path.absolute()), **options, **decoder)["v:0"]
        if not keys_only:
            first = f"isnan(prev_selected_t)+gt(floor(t/{seconds}),floor(prev_selected_t/{seconds}))"
            picture = picture.filter("select", first)
        colours = still_colours(self.color_space, self.height)
        picture = padded(fitted(picture, width, height, **colours), width, height)
        return on_white(picture) if decoder else picture

    def budget(self, *, keys_only: bool) -> Budget:
        """The limits of one pass: key frames take a second per hour, all frames at most the film's duration."""
        seconds = self.duration_ms / 1000
        megabytes = self.path.stat().st_size / 1_000_000
        return Budget(
            wall_seconds=60 + megabytes / 2 + (seconds / 20 if keys_only else seconds),
            stall_seconds=60 + seconds / 20,
            file_bytes=64 * 1024 * 1024,
        )


def film_of(path: Path, header: Header, size: tuple[int, int], duration_ms: int) -> Film | None:
    """The film at `path` with this header, shown in this `size`; None if it has only sound."""
    video = header.parts[0].tracks.get("video")
    if video is None:
        return None
    color_space = str(video.get("color_space", "unknown"))
    return Film(path, header.demuxer, str(video["codec_name"]), has_alpha(video), *size, duration_ms, color_space)
