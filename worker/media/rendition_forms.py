"""The forms of renditions: sizes, rates and the options of their encoders. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from worker.media.streams import VideoStream

# Players take these frame rates everywhere; a recorder's average is rounded up to one of them.
_RATES = (5, 10, 12, 15, 20, 24, 25, 30)
# Players assume BT.601 for untagged pictures below this height, and BT.709 from it on.
_HD_HEIGHT = 720


@dataclass(frozen=True)
class PictureForm:
    """A picture track: it fits into `box` (width and height of a landscape picture) and is never enlarged.

    `rate` is the largest number of frames per second; `kbit` limits kilobits per second over `buffer_kbit`.
    """

    box: tuple[int, int]
    rate: int
    key_seconds: int
    crf: int
    kbit: int
    buffer_kbit: int
    tune: str | None = None


@dataclass(frozen=True)
class SoundForm:
    """A sound track: its muxer, media type and codec (RFC 6381), and the options of ffmpeg."""

    extension: str
    mime: str
    codecs: str
    options: dict[str, Any]


# One track, header and index (`sidx`) in front, no second index at the end. `delay_moov` writes the header once the
# encoders have stated their delay.
_FRAGMENTED = "+default_base_moof+global_sidx+delay_moov+skip_trailer"
_CLEAN = {"map_metadata": "-1", "map_chapters": "-1", "fflags": "+bitexact"}

PICTURES = {
    # 4 s between key frames: a player begins and seeks within one segment on a slow link. The limit leaves room for
    # headers below 250 kbit/s.
    "360p": PictureForm((640, 360), rate=15, key_seconds=4, crf=28, kbit=235, buffer_kbit=470),
    "720p": PictureForm((1280, 720), rate=30, key_seconds=4, crf=25, kbit=1200, buffer_kbit=2400),
    # Key frames are nearly all of a board's bytes, so they are rare; the buffer holds two of a full page.
    "board": PictureForm((1280, 720), rate=5, key_seconds=10, crf=26, kbit=250, buffer_kbit=1500, tune="stillimage"),
}
SOUNDS = {
    # Packets of 60 ms: a third of the headers of usual ones.
    "audio": SoundForm(
        "webm",
        "audio/webm",
        "opus",
        {
            "c:a": "libopus",
            "b:a": "16k",
            "ac": 1,
            "ar": 48000,
            "application": "voip",
            "frame_duration": 60,
            "f": "webm",
            "cues_to_front": 1,
        },
    ),
    # At 48 kHz this encoder exceeds its rate by a third. Fragments of ten seconds are the segments of HLS.
    "audio-aac": SoundForm(
        "mp4",
        "audio/mp4",
        "mp4a.40.2",
        {
            "c:a": "aac",
            "b:a": "16k",
            "ac": 1,
            "ar": 16000,
            "f": "mp4",
            "frag_duration": 10_000_000,
            "movflags": _FRAGMENTED,
        },
    ),
}


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


def colour_matrix(height: int) -> str:
    """The matrix that players assume for a picture of this height when it states none."""
    return "bt709" if height >= _HD_HEIGHT else "smpte170m"


def picture_options(form: PictureForm, video: VideoStream, keys: Sequence[float]) -> dict[str, Any]:
    """The options of an encoded picture with key frames at these seconds and every `key_seconds`."""
    _, height = fitted_size(form, video.shown_size)
    matrix = colour_matrix(height)
    return {
        **_CLEAN,
        "c:v": "libx264",
        "preset": "veryfast",
        "profile:v": "main",
        "level:v": "3.1",
        "crf": form.crf,
        "maxrate": f"{form.kbit}k",
        "bufsize": f"{form.buffer_kbit}k",
        "pix_fmt": "yuv420p",
        # Key frames come by time alone. Without B-frames every time of a frame is its place in the file: players that
        # ignore edit lists keep picture and sound together.
        "x264-params": "scenecut=0:keyint=infinite",
        "bf": 0,
        "force_key_frames": _key_times(form, keys),
        "colorspace": matrix,
        "color_primaries": matrix,
        "color_trc": matrix,
        "color_range": "tv",
        "flags:v": "+bitexact",
        # The same bytes on every machine.
        "threads:v": 2,
        "f": "mp4",
        "movflags": f"+frag_keyframe{_FRAGMENTED}",
        **({"tune": form.tune} if form.tune else {}),
    }


def _key_times(form: PictureForm, keys: Sequence[float]) -> str:
    if not keys:
        return f"expr:gte(t,n_forced*{form.key_seconds})"
    times = [0.0]
    for key in [*sorted(keys), None]:
        while key is None or key - times[-1] > form.key_seconds:
            if key is None:
                break
            times.append(times[-1] + form.key_seconds)
        if key is not None and key > times[-1]:
            times.append(key)
    return ",".join(f"{time:.3f}" for time in times)


def sound_options(form: SoundForm) -> dict[str, Any]:
    """The options of an encoded sound."""
    return {**_CLEAN, "flags:a": "+bitexact", **form.options}
