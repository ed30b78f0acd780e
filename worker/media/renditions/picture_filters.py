"""The filters that turn the picture of a recording into that of a rendition. Pure functions."""

from collections.abc import Sequence
from typing import Any

import ffmpeg

from worker.media.decoding.changing_size import fitted, padded
from worker.media.decoding.colours import assumed, colour_matrix
from worker.media.decoding.transparency import alpha_decoder, on_white
from worker.media.probing.streams import VideoStream
from worker.media.renditions.fit_picture import fitted_size, frame_rate
from worker.media.renditions.rendition_forms import PAGE_SECONDS, PAGE_TURN, PICTURES, PictureForm

# Pixels that `colorspace` reads as they are, and the matrices that it knows, by ffmpeg's names.
_PLAIN_PIXELS = frozenset({"yuv420p", "yuvj420p", "yuva420p"})
_MATRICES = frozenset({"bt709", "smpte170m", "bt470bg"})
_RANGES = frozenset({"tv", "pc"})


def decoder(video: VideoStream | None) -> dict[str, str]:
    """The decoder for a transparent picture; empty for all others."""
    return alpha_decoder(video.codec, alpha=video.alpha) if video else {}


def split(stream: Any, number: int, name: str) -> list[Any]:
    """The stream `number` times, by the filter `name` (split or asplit)."""
    if number == 1:
        return [stream]
    branches = stream.filter_multi_output(name, number)
    return [branches[index] for index in range(number)]


def steady_picture(picture: Any, names: Sequence[str], video: VideoStream) -> Any:
    """What these renditions share: the picture from 0, at the highest of their rates, opaque, in its own size."""
    upright = picture.filter("setsar", "1") if video.aspect_is_wrong else picture
    # First, so that only frames that are kept are processed.
    rate = max(frame_rate(PICTURES[name], video.frame_rate) for name in names)
    steady = upright.filter("fps", rate, start_time=0)
    if not decoder(video):
        return steady
    # H.264 has no transparency: browsers would show a black background. A canvas may change its size, `on_white` not.
    return on_white(padded(fitted(steady, *video.shown_size), *video.shown_size))


def rendition_picture(picture: Any, form: PictureForm, video: VideoStream) -> Any:
    """The picture without end, in the size, rate and colours of this form; `picture_options` ends it."""
    size = fitted_size(form, video.shown_size)
    matrix = colour_matrix(size[1])
    rate = frame_rate(form, video.frame_rate)
    steady = picture.filter("fps", rate, start_time=0)
    coloured = _limited_range(steady, size, video, matrix)
    named = coloured.filter("setparams", colorspace=matrix, color_primaries=matrix, color_trc=matrix, range="tv")
    whole = named.filter("tpad", stop=-1, stop_mode="clone")
    return _changes(whole, rate * form.key_seconds) if form.is_board else whole


def _limited_range(picture: Any, size: tuple[int, int], video: VideoStream, matrix: str) -> Any:
    """The picture in this size, in 8-bit 4:2:0 of limited range by this matrix."""
    recorded = colour_matrix(video.height) if video.color_space == "unknown" else video.color_space
    if not (video.pixel_format in _PLAIN_PIXELS and recorded in _MATRICES and video.color_range in _RANGES):
        read = assumed(video.color_space, video.height)
        scaled = fitted(picture, size[0], size[1], **read, out_color_matrix=matrix, out_range="tv")
        return padded(scaled, *size).filter("format", "yuv420p")
    shaped = padded(fitted(picture, *size), *size).filter("format", "yuv420p")
    if (recorded, video.color_range) == (matrix, "tv"):
        return shaped
    # A third of the time that swscale takes. The same primaries and transfer on both sides stay as they are.
    same = {"iprimaries": matrix, "primaries": matrix, "itrc": matrix, "trc": matrix}
    stated = {"ispace": recorded, "irange": video.color_range}
    return shaped.filter("colorspace", **stated, **same, space=matrix, range="tv", format="yuv420p")


def _changes(picture: Any, interval: int) -> Any:
    """The frames that differ from the one before, and every `interval`th. It and page turns are marked as key frames.

    A board rests most of the time, and an encoder takes as long for a repeated frame as for any other.
    """
    changed, keys = split(picture, 2, "split")
    # mpdecimate ignores the eight leftmost columns. Without `max` it would wait for a change after the end.
    wider = changed.filter("pad", "iw+8", "ih", 8, 0)
    changed = wider.filter("mpdecimate", hi=0, lo=0, frac=0, max=interval).filter("crop", "iw-8", "ih", 8, 0)
    # ld(0) is when the next turn counts: where a video is shown or text scrolls, nearly every frame looks like one.
    turn = f"gt(scene,{PAGE_TURN})*gte(t,ld(0))"
    keys = keys.filter("select", f"if({turn},st(0,t+{PAGE_SECONDS}),not(mod(n,{interval})))")
    marked = keys.filter("metadata", mode="add", key="lavfi.scd.time", value=0)
    # Of two frames with the same time, the encoder takes the first.
    return ffmpeg.filter([marked, changed], "interleave").filter("settb", "1/1000")
