"""Verify a written rendition against its form, and describe it for its row."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from worker.media.containers import ebml
from worker.media.containers.mp4_boxes import moov_is_in_front
from worker.media.errors import MediaRejected, OutputDamaged
from worker.media.probing.packet_reading import probe
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import never
from worker.media.renditions.fragments import Segments, has_edits, read_segments
from worker.media.renditions.rendition_forms import SOUNDS, PictureForm

# The largest difference between its duration and the recording's.
_TOLERANCE_MS = 100


@dataclass(frozen=True)
class WrittenRendition:
    """A rendition on disk. `bit_rate` is bits per second; `segments` of a fragmented MP4."""

    path: Path
    mime: str
    codecs: str
    width: int | None
    height: int | None
    duration_ms: int
    bit_rate: int
    segments: Segments | None = None


def check_copied(
    form: PictureForm,
    name: str,
    path: Path,
    duration_ms: int,
    binaries: Binaries,
    *,
    should_stop: Callable[[], bool] = never,
) -> WrittenRendition | None:
    """Verify a picture that was copied; returns None when it is wrong or too large, and must be encoded."""
    try:
        written = check_rendition(name, path, duration_ms, binaries, should_stop=should_stop)
    except OutputDamaged:
        return None
    # An edit list means that pictures are stored in another order than they are shown.
    return None if written.bit_rate > form.copied_kbit * 1000 or has_edits(path) else written


def check_download(
    path: Path, duration_ms: int, binaries: Binaries, *, should_stop: Callable[[], bool] = never
) -> WrittenRendition:
    """Verify the file that people download. Raises OutputDamaged when it is wrong."""
    probed = _read("download", path, binaries, should_stop)
    if abs(probed.shown_ms - duration_ms) > 2 * _TOLERANCE_MS:
        raise OutputDamaged(f"The file lasts {probed.shown_ms} ms, not {duration_ms} ms.")
    if not moov_is_in_front(path):
        raise OutputDamaged("The index of the file is not in front.")
    video, streams = probed.video, [stream for stream in (probed.video, probed.audio) if stream]
    return WrittenRendition(
        path,
        mime="video/mp4" if video else "audio/mp4",
        codecs=", ".join(stream.codec_string for stream in streams),
        width=video.width if video else None,
        height=video.height if video else None,
        duration_ms=probed.shown_ms,
        bit_rate=probed.bit_rate,
    )


def check_rendition(
    name: str, path: Path, duration_ms: int, binaries: Binaries, *, should_stop: Callable[[], bool] = never
) -> WrittenRendition:
    """Verify a rendition of one track, like untrusted input. Raises OutputDamaged when it is wrong."""
    probed = _read(name, path, binaries, should_stop)
    sound = SOUNDS.get(name)
    if (probed.video is None) is (sound is None) or (probed.audio is None) is not (sound is None):
        raise OutputDamaged(f"The rendition {name} has the wrong tracks.")
    if sound is not None and sound.extension == "webm" and not ebml.cues_are_in_front(path):
        raise OutputDamaged(f"The index of the rendition {name} is not in front.")
    segments = None if sound is not None and sound.extension == "webm" else read_segments(path)
    # The segments exclude the lead-in of AAC, which players do not play.
    length_ms = probed.duration_ms if segments is None else segments.duration_ms
    if abs(length_ms - duration_ms) > _TOLERANCE_MS:
        raise OutputDamaged(f"The rendition {name} lasts {length_ms} ms, not {duration_ms} ms.")
    video = probed.video
    return WrittenRendition(
        path,
        mime=sound.mime if sound else "video/mp4",
        codecs=sound.codecs if sound else video.codec_string if video else "",
        width=video.width if video else None,
        height=video.height if video else None,
        duration_ms=length_ms,
        bit_rate=probed.bit_rate,
        segments=segments,
    )


def _read(name: str, path: Path, binaries: Binaries, should_stop: Callable[[], bool]) -> Probe:
    try:
        return probe(path, binaries, should_stop=should_stop)
    except MediaRejected as error:
        raise OutputDamaged(f"The rendition {name} cannot be read: {error.detail}") from error
