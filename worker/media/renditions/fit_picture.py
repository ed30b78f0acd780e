"""Fit a picture into a rendition form: its size, its frame rate, and whether it fits already."""

import re

from worker.media.decoding.colours import colour_matrix
from worker.media.probing.streams import VideoStream
from worker.media.renditions.rendition_forms import PictureForm

# Frame rates that all players support; a recorder's average is rounded up to one of them.
_RATES = (5, 10, 12, 15, 20, 24, 25, 30)
# H.264 of Baseline or Main profile up to level 3.1 (0x1f), as RFC 6381 writes it: profile, constraints, level.
_EVERY_PHONE = re.compile(r"avc1\.(?:42|4d)[0-9a-f]{2}(?:0[a-f]|1[0-9a-f])", re.IGNORECASE)
# The maximum length of a segment of a copied picture.
_LONGEST_KEY_INTERVAL_MS = 10_000


def fitted_size(form: PictureForm, shown: tuple[int, int]) -> tuple[int, int]:
    """Width and height in this form of a picture shown in the size `shown`: even, never enlarged."""
    width, height = shown
    box = form.box if width >= height else (form.box[1], form.box[0])
    share = min(1.0, box[0] / width, box[1] / height)
    return _even(width * share), _even(height * share)


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def frame_rate(form: PictureForm, recorded: float) -> int:
    """The frame rate in this form of a picture recorded with `recorded` frames per second on average."""
    return min(form.rate, next((rate for rate in _RATES if rate >= recorded - 0.5), _RATES[-1]))


def is_taller(shown: tuple[int, int], lines: int) -> bool:
    """Whether the shorter side of a picture is longer than `lines`, the unit of `360p`."""
    return min(shown) > lines


def may_be_copied(form: PictureForm, video: VideoStream) -> bool:
    """Whether the picture can be copied into this form and plays on every phone; its copy shows the bit rate."""
    width, height = video.shown_size
    return (
        not form.is_board
        and _EVERY_PHONE.fullmatch(video.codec_string) is not None
        and video.pixel_format == "yuv420p"
        and video.color_range != "pc"
        and video.color_space in {"unknown", colour_matrix(height)}
        and (video.rotation, video.pixel_aspect) == (0, 1.0)
        and fitted_size(form, (width, height)) == (width, height)
        and video.frame_rate <= form.rate + 0.5
        and video.max_key_interval_ms <= _LONGEST_KEY_INTERVAL_MS
    )
