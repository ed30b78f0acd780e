"""The forms of renditions: sizes, rates and the options of their encoders. Pure functions."""

from dataclasses import dataclass
from typing import Any

from worker.media.probing.streams import VideoStream

# Players take these frame rates everywhere; a recorder's average is rounded up to one of them.
_RATES = (5, 10, 12, 15, 20, 24, 25, 30)
# Baseline, Main and High of H.264 (the first byte of `avc1.…`), with 8 bits.
_PROFILES = frozenset({"42", "4d", "64"})
# A segment of a copied picture is no longer than this.
_LONGEST_KEY_INTERVAL_MS = 10_000
# The least difference of a frame to the one before it, in percent, that is a page turn: a pen changes 0.03.
PAGE_TURN = 0.15
# Header and index of a short file.
_HEADER_BYTES = 4096
# Players assume BT.601 for untagged pictures below this height, and BT.709 from it on.
_HD_HEIGHT = 720


@dataclass(frozen=True)
class PictureForm:
    """A picture track: it fits into `box` (width and height of a landscape picture) and is never enlarged.

    `rate` is the largest number of frames per second; `kbit` limits kilobits per second over `buffer_kbit`. A board
    stands still but for its pen, and its pages turn.
    """

    box: tuple[int, int]
    rate: int
    key_seconds: int
    # A picture of at most so many kilobits per second is not encoded again.
    copied_kbit: int
    crf: int
    kbit: int
    buffer_kbit: int
    is_board: bool = False


@dataclass(frozen=True)
class SoundForm:
    """A sound track: its muxer, media type and codec (RFC 6381), and the options of ffmpeg.

    Where `options` exceed `most_kbit`, `tight` are those that no sound exceeds.
    """

    extension: str
    mime: str
    codecs: str
    options: dict[str, Any]
    most_kbit: float
    tight: dict[str, Any]

    def most_bytes(self, seconds: float) -> int:
        """The largest file of this length."""
        return _HEADER_BYTES + round(self.most_kbit * 125 * seconds)


# One track, header and index (`sidx`) in front, no second index at the end. `delay_moov` writes the header once the
# encoders have stated their delay.
_FRAGMENTED = "+default_base_moof+global_sidx+delay_moov+skip_trailer"
_CLEAN = {"map_metadata": "-1", "map_chapters": "-1", "fflags": "+bitexact"}

PICTURES = {
    # 4 s between key frames: a player begins and seeks within one segment on a slow link. Also a short recording stays
    # below 250 kbit/s, whose first segment may use the whole buffer.
    "360p": PictureForm((640, 360), rate=15, key_seconds=4, copied_kbit=250, crf=28, kbit=220, buffer_kbit=330),
    "720p": PictureForm((1280, 720), rate=30, key_seconds=4, copied_kbit=1500, crf=25, kbit=1200, buffer_kbit=2400),
    # Key frames are nearly all of a board's bytes, so they are rare; the buffer holds two of a full page.
    "board": PictureForm(
        (1280, 720), rate=5, key_seconds=10, copied_kbit=0, crf=26, kbit=250, buffer_kbit=1500, is_board=True
    ),
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
        # 6.6 MB an hour. Speech takes 14.2; tones take 16.5, of which 0.9 are headers.
        most_kbit=14.66,
        tight={"b:a": "13600", "vbr": "constrained"},
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
        # 8 MB an hour; 17 are usual whatever the sound is.
        most_kbit=17.77,
        tight={"b:a": "14k"},
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


def picture_options(form: PictureForm, video: VideoStream) -> dict[str, Any]:
    """The options of an encoded picture with a key frame every `key_seconds`, and where its content changes."""
    rate = frame_rate(form, video.frame_rate)
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
        # Without B-frames frames are stored in the order of their times: players that ignore edit lists keep picture
        # and sound together.
        "x264-params": f"keyint={rate * form.key_seconds}:scenecut=0",
        "bf": 0,
        "flags:v": "+bitexact",
        # The same bytes on every machine.
        "threads:v": 2,
        "f": "mp4",
        "movflags": f"+frag_keyframe{_FRAGMENTED}",
        # x264's own detection misses the turn of a page with little on it; the filter scdet marks these frames.
        **({"tune": "stillimage", "force_key_frames": "scd_metadata"} if form.is_board else {}),
    }


def copied_options() -> dict[str, Any]:
    """The options of a picture that is not encoded again."""
    return {**_CLEAN, "c:v": "copy", "f": "mp4", "movflags": f"+frag_keyframe{_FRAGMENTED}"}


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


def sound_options(form: SoundForm, *, tight: bool = False) -> dict[str, Any]:
    """The options of an encoded sound."""
    return {**_CLEAN, "flags:a": "+bitexact", **form.options, **(form.tight if tight else {})}
