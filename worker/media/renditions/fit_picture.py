"""How a picture fits into a form of renditions: size, rate, and whether it has that form already."""

from worker.media.probing.streams import VideoStream
from worker.media.renditions.rendition_forms import PictureForm

# Players take these frame rates everywhere; a recorder's average is rounded up to one of them.
_RATES = (5, 10, 12, 15, 20, 24, 25, 30)
# Baseline, Main and High of H.264 (the first byte of `avc1.…`), with 8 bits.
_PROFILES = frozenset({"42", "4d", "64"})
# A segment of a copied picture is no longer than this.
_LONGEST_KEY_INTERVAL_MS = 10_000


def fitted_size(form: PictureForm, shown: tuple[int, int]) -> tuple[int, int]:
    """Width and height in this form of a picture that is shown in the size `shown`: even, and never larger."""
    width, height = shown
    box = form.box if width >= height else (form.box[1], form.box[0])
    share = min(1.0, box[0] / width, box[1] / height)
    return _even(width * share), _even(height * share)


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def frame_rate(form: PictureForm, recorded: float) -> int:
    """Frames per second in this form of a picture recorded with so many on average."""
    return min(form.rate, next((rate for rate in _RATES if rate >= recorded - 0.5), _RATES[-1]))


def is_taller(shown: tuple[int, int], lines: int) -> bool:
    """Whether the shorter side of a picture is longer than `lines`, the unit of `360p`."""
    return min(shown) > lines


def may_be_copied(form: PictureForm, video: VideoStream) -> bool:
    """Whether the picture as it is plays on every phone in this form, but for its bit rate, which its copy shows."""
    width, height = video.shown_size
    return (
        not form.is_board
        and video.codec == "h264"
        and video.codec_string[5:7].lower() in _PROFILES
        and video.pixel_format == "yuv420p"
        and (video.rotation, video.pixel_aspect) == (0, 1.0)
        and fitted_size(form, (width, height)) == (width, height)
        and video.frame_rate <= form.rate + 0.5
        and video.max_key_interval_ms <= _LONGEST_KEY_INTERVAL_MS
    )
