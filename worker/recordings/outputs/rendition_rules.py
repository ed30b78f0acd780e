"""Which renditions a recording can have. Pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from models.recordings import Recording
from worker.media.renditions.fit_picture import is_taller
from worker.media.renditions.rendition_forms import PICTURES, SOUNDS
from worker.settings.media import RenditionName

RENDITIONS: tuple[RenditionName, ...] = get_args(RenditionName)
PACKAGES = frozenset({"hls", "download"})
# The sizes of a camera's picture.
_SIZES = PICTURES.keys() - {"board"}
# Types whose picture mostly stands still.
_BOARDS = frozenset({"board", "screen"})


@dataclass(frozen=True)
class RecordedTracks:
    """A recording's type, the displayed size of its picture (None: no picture), and whether it has sound."""

    type: str
    shown: tuple[int, int] | None
    has_sound: bool


def tracks_of(recording: Recording) -> RecordedTracks:
    """The tracks of an available recording, as its ingest has described them."""
    known = recording.recording_metadata or {}
    width, height = known.get("width"), known.get("height")
    return RecordedTracks(
        recording.recording_type,
        (int(width), int(height)) if known.get("video_codec") and width and height else None,
        has_sound=bool(known.get("audio_codec")),
    )


def why_not(name: str, tracks: RecordedTracks) -> str | None:
    """Why a recording cannot have this rendition, as a sentence for people; None when it can."""
    if name in SOUNDS:
        return None if tracks.has_sound else "The recording has no sound."
    if name in PICTURES and tracks.shown is None:
        return "The recording has no picture."
    if name == "board" and tracks.type not in _BOARDS:
        return "The recording is of a camera: its type is neither board nor screen."
    if name == "720p" and tracks.shown is not None and not is_taller(tracks.shown, 480):
        return "The picture of the recording has at most 480 lines, and nothing is enlarged."
    return None


def automatic_renditions(wanted: Iterable[str], tracks: RecordedTracks) -> list[str]:
    """The renditions of the setting RENDITIONS that this recording gets when it is ingested.

    For a board or screen the rendition is `board`; the sizes for a camera's picture can be ordered later.
    """
    names = set(wanted)
    if "board" in names and tracks.type in _BOARDS:
        names -= _SIZES
    return with_parts([name for name in RENDITIONS if name in names and why_not(name, tracks) is None], tracks)


def with_parts(names: Iterable[str], tracks: RecordedTracks) -> list[str]:
    """These renditions plus those that `hls` and `download` among them consist of, in order."""
    wanted = set(names)
    if wanted & PACKAGES:
        parts = {"audio-aac", "board" if tracks.type in _BOARDS else "360p"}
        wanted |= {name for name in parts if why_not(name, tracks) is None}
    return [name for name in RENDITIONS if name in wanted]
