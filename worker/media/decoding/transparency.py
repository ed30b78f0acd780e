"""Pictures with a transparent layer (canvas recordings): the decoders that read it, and white paper behind it."""

from typing import Any

import ffmpeg

# ffmpeg's own decoders of these ignore the transparency.
_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def alpha_decoder(codec: str, *, alpha: bool) -> dict[str, str]:
    """The input option for a picture whose transparent layer must be decoded; empty for all others."""
    name = _DECODERS.get(codec) if alpha else None
    return {"c:v": name} if name else {}


def on_white(picture: Any) -> Any:
    """A transparent board on white paper: without it black ink would be on black.

    In YUV: the same in RGB takes ten times as long. A brightness of 255 is white in full range recordings, and is shown
    as white in limited range ones, whose white is 235.
    """
    layers = picture.filter("format", "yuva420p").split()
    # lutyuv's table takes a quarter of the time of drawbox.
    paper = layers[0].filter("format", "yuv420p").filter("lutyuv", y=255, u=128, v=128)
    return ffmpeg.overlay(paper, layers[1], format="yuv420")
