"""Pictures whose size changes midway: a shared window is resized, a phone is turned, a recorder follows the link."""

from typing import Any

# By default ffmpeg builds its whole filter graph again when the size changes, and forgets what its filters hold: the
# tiles of a sheet, the delay of a sound. The filter `scale` takes every size, so until then others must not depend on
# it.
ONE_GRAPH = {"reinit_filter:v": "0"}


def fitted(picture: Any, width: int, height: int, **scaling: str) -> Any:
    """The picture in square pixels within this size, which is even, each frame by its own shape; its sides are even.

    A frame whose shape differs from this by less than two pixels, as by rounding, fills all of it.
    """
    fills = f"lt(min(abs({width}-{height}*a),abs({height}-{width}/a)),2)"
    shown_width = f"if({fills},{width},2*max(1,round(min({width},{height}*a)/2)))"
    shown_height = f"if({fills},{height},2*max(1,round(min({height},{width}/a)/2)))"
    return (
        picture.filter("scale", "max(2,iw*sar)", "ih", eval="frame")
        .filter("setsar", "1")
        .filter("scale", shown_width, shown_height, eval="frame", **scaling)
    )


def padded(picture: Any, width: int, height: int, color: str = "black") -> Any:
    """The picture in the middle of a frame of this size."""
    return picture.filter("pad", width, height, "-1", "-1", color=color, eval="frame").filter("setsar", "1")
