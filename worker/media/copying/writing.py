"""Write a file of copied packets, some of which a muxer may reject."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ffmpeg

from worker.media.errors import FfmpegFailed

# Muxers parse every AV1 picture, and fail at the first one that they cannot parse.
_PARSERS = {"av1": "av1_metadata"}


def write_packets(
    tracks: Sequence[Any],
    target: str,
    options: Mapping[str, Any],
    run: Callable[[list[str]], str],
    *,
    copied_picture: str | None,
) -> None:
    """`run` ffmpeg for this output; if that fails, run it again without pictures that cannot be parsed.

    `copied_picture` is the codec of a picture that is copied. Raises what `run` raises.
    """
    try:
        run(ffmpeg.get_args(ffmpeg.output(*tracks, target, **options)))
    except FfmpegFailed as error:
        parser = _PARSERS.get(copied_picture or "")
        if parser is None or error.returncode < 0:
            raise
        run(ffmpeg.get_args(ffmpeg.output(*tracks, target, **options, **{"bsf:v": parser})))
