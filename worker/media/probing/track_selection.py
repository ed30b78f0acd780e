"""Choose the tracks of a recording that are used."""

from collections.abc import Mapping
from dataclasses import dataclass

from worker.media.errors import MediaRejected
from worker.media.limits import Limits
from worker.media.probing.playable import (
    COPIED_PICTURES,
    COPIED_SOUNDS,
    ENCODED_PICTURES,
    ENCODED_SOUNDS,
    unsupported_codec,
)
from worker.media.probing.repairs import Repair
from worker.media.probing.streams import Words


@dataclass(frozen=True)
class TrackSelection:
    """The tracks that are used, under `video` and `audio`; further audio tracks; and what is left out."""

    tracks: Mapping[str, Words]
    more_sounds: tuple[Words, ...]
    left_out: tuple[Repair, ...]


def choose_tracks(streams: list[Words], limits: Limits) -> TrackSelection:
    """Choose the picture and the sound of a recording: playable tracks first, then default ones, then the first.

    A cover picture is no video, other tracks are left out, and a phone's data tracks are not reported. Raises
    MediaRejected when neither picture nor sound remains, for a codec that can neither be copied nor encoded, and for a
    picture that is too large.
    """
    videos = _best_first([s for s in streams if s.get("codec_type") == "video" and not _is_cover(s)])
    audios = _best_first([s for s in streams if s.get("codec_type") == "audio"])
    if videos and audios and not _has_size(videos[0]):
        videos = []
    tracks = {kind: candidates[0] for kind, candidates in (("video", videos), ("audio", audios)) if candidates}
    if not tracks:
        raise MediaRejected(
            "no-playable-stream",
            "The file holds neither picture nor sound. Check that the recorder was given a screen or a microphone.",
        )
    for stream in tracks.values():
        _check(stream, limits)
    further = tuple(stream for stream in audios[1:] if _usable(stream))
    unused = [s for s in streams if s not in (*tracks.values(), *further) and s.get("codec_type") != "data"]
    return TrackSelection(tracks, further, tuple(left_out(s) for s in unused))


def left_out(stream: Words) -> Repair:
    """The repair that names a track that is not in the copy."""
    kind = "cover" if _is_cover(stream) else str(stream.get("codec_type", "data"))
    return Repair("track-left-out", track=kind, codec=str(stream.get("codec_name", "unknown")))


def _is_cover(stream: Words) -> bool:
    return bool(stream.get("disposition", {}).get("attached_pic"))


def _best_first(streams: list[Words]) -> list[Words]:
    return sorted(streams, key=lambda s: (not _usable(s), not s.get("disposition", {}).get("default"), s["index"]))


def _usable(stream: Words) -> bool:
    return stream.get("codec_name") in COPIED_PICTURES | COPIED_SOUNDS | ENCODED_PICTURES | ENCODED_SOUNDS


def _has_size(stream: Words) -> bool:
    return int(stream.get("width") or 0) > 0 and int(stream.get("height") or 0) > 0


def _check(stream: Words, limits: Limits) -> None:
    if not _usable(stream):
        raise unsupported_codec(str(stream.get("codec_name", "unknown")))
    if stream.get("codec_type") != "video":
        return
    width, height = int(stream.get("width") or 0), int(stream.get("height") or 0)
    if width * height > limits.max_pixels:
        raise too_large_picture(f"{width} x {height}")
    if not _has_size(stream):
        raise MediaRejected("damaged", "The recording's picture has no size. Record the lesson again.")


def too_large_picture(size: str) -> MediaRejected:
    """The rejection of a picture of this size."""
    return MediaRejected(
        "too-large-picture",
        f"The recording's picture is too large ({size}). Record at 4K (3840 x 2160) or less.",
    )
