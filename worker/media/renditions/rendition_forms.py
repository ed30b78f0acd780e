"""The forms of renditions: sizes, rates and encoder options. Pure functions."""

from dataclasses import dataclass
from typing import Any

# How much a frame must differ from the one before it to be a page turn (`scene` of the filter `select`, 0 to 1): a pen
# changes 0.0008.
PAGE_TURN = 0.004
# Key frames for page turns are at least this far apart.
PAGE_SECONDS = 2
# Header and index of a short file.
_HEADER_BYTES = 4096

# One track, header and index (`sidx`) in front, no second index at the end. `delay_moov` writes the header once the
# encoders have reported their delay.
FRAGMENTED = "+default_base_moof+global_sidx+delay_moov+skip_trailer"


@dataclass(frozen=True)
class PictureForm:
    """A picture track: it fits into `box` (width and height of a landscape picture) and is never enlarged.

    `rate` is the maximum frame rate; `kbit` limits the bit rate in kbit/s over `buffer_kbit`. `is_board`: a still
    picture on which only the pen moves, until a page turns.
    """

    box: tuple[int, int]
    rate: int
    key_seconds: int
    # A picture of at most this many kbit/s is not encoded again.
    copied_kbit: int
    crf: int
    kbit: int
    buffer_kbit: int
    is_board: bool = False


@dataclass(frozen=True)
class SoundForm:
    """A sound track: its muxer, media type and codec (RFC 6381), and ffmpeg's options.

    `tight` replaces `options` for a sound that exceeds `most_kbit`; no sound exceeds that with it.
    """

    extension: str
    mime: str
    codecs: str
    options: dict[str, Any]
    most_kbit: float
    tight: dict[str, Any]

    def most_bytes(self, seconds: float) -> int:
        """The maximum size of a file of this duration."""
        return _HEADER_BYTES + round(self.most_kbit * 125 * seconds)


PICTURES = {
    # 4 s between key frames: a player starts and seeks within one segment on a slow link. Even a short recording stays
    # below 250 kbit/s, although its first segment may use the whole buffer.
    "360p": PictureForm((640, 360), rate=15, key_seconds=4, copied_kbit=250, crf=28, kbit=220, buffer_kbit=330),
    "720p": PictureForm((1280, 720), rate=30, key_seconds=4, copied_kbit=1500, crf=25, kbit=1200, buffer_kbit=2400),
    # Key frames are nearly all of a board's bytes, so they are rare; the buffer holds two of a full page.
    "board": PictureForm(
        (1280, 720), rate=5, key_seconds=10, copied_kbit=0, crf=29, kbit=250, buffer_kbit=1500, is_board=True
    ),
}
SOUNDS = {
    # Packets of 60 ms need a third of the usual headers.
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
        # 6.6 MB an hour. In kbit/s, speech takes 14.2 and tones take 16.5, of which 0.9 are headers.
        most_kbit=14.66,
        tight={"b:a": "13600", "vbr": "constrained"},
    ),
    # At 48 kHz this encoder exceeds its rate by a third. Fragments of ten seconds become the segments of HLS.
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
            "movflags": FRAGMENTED,
        },
        # 8 MB an hour. 17 kbit/s are usual, whatever the sound.
        most_kbit=17.77,
        tight={"b:a": "14k"},
    ),
}
