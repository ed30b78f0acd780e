"""ffmpeg's options for writing a rendition."""

from typing import Any

from worker.media.probing.streams import VideoStream
from worker.media.renditions.fit_picture import frame_rate
from worker.media.renditions.rendition_forms import FRAGMENTED, PictureForm, SoundForm

# Key frames are forced. Looking ahead gains nothing on a page that rests, and takes bits from the colours of strokes.
_BOARD_X264 = "keyint=infinite:rc-lookahead=0:mbtree=0"
_CLEAN = {"map_metadata": "-1", "map_chapters": "-1", "fflags": "+bitexact"}


def picture_options(form: PictureForm, video: VideoStream, seconds: float) -> dict[str, Any]:
    """Options for a picture of this duration, with a key frame every `key_seconds` and where a board's page turns."""
    keys = _BOARD_X264 if form.is_board else f"keyint={frame_rate(form, video.frame_rate) * form.key_seconds}"
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
        # Weighted prediction takes time, and saves bytes only where a picture fades.
        "x264-params": f"scenecut=0:weightp=0:{keys}",
        # Without B-frames, frames are stored in the order of their times, so that players which ignore edit lists keep
        # picture and sound in sync.
        "bf": 0,
        "flags:v": "+bitexact",
        # Fixed, since the bytes depend on it: the same on every machine.
        "threads:v": 2,
        "f": "mp4",
        "movflags": f"+frag_keyframe{FRAGMENTED}",
        **(_board_options(seconds) if form.is_board else {}),
    }


def _board_options(seconds: float) -> dict[str, Any]:
    # Seconds in units of the time base.
    end = f"round({seconds:.3f}/TB)"
    return {
        "tune": "stillimage",
        # Unchanged frames are left out: each lasts until the next one, the last until the end.
        "fps_mode": "vfr",
        "bsf:v": f"setts=duration='if(eq(NEXT_PTS,NOPTS),{end},NEXT_PTS)-PTS'",
        # The filters mark them: x264 counts frames, not seconds, and misses the turn of a nearly empty page.
        "force_key_frames": "scd_metadata",
    }


def copied_options() -> dict[str, Any]:
    """Options for a picture that is copied."""
    return {**_CLEAN, "c:v": "copy", "f": "mp4", "movflags": f"+frag_keyframe{FRAGMENTED}"}


def sound_options(form: SoundForm, *, tight: bool = False) -> dict[str, Any]:
    """Options for an encoded sound."""
    return {**_CLEAN, "flags:a": "+bitexact", **form.options, **(form.tight if tight else {})}
