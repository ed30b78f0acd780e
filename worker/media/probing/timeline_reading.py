"""Read the packets of one recording into its timeline, correcting timestamps that go back."""

from pathlib import Path

from worker.media.limits import Limits
from worker.media.probing.correction import Correction
from worker.media.probing.find_correction import correct_lines
from worker.media.probing.header import PartHeader, PartReading
from worker.media.probing.packet_timeline import PACKETS, Timeline
from worker.media.probing.skipped import Positions, positions_of, positions_of_complaints
from worker.media.probing.streams import has_alpha
from worker.media.probing.track import Track

# Codecs that may store pictures in another order than they are shown.
_REORDERING = frozenset({"h264", "hevc", "mpeg4", "mpeg2video"})


def read_timeline(
    path: Path, header: PartHeader, reading: PartReading, selection: list[str]
) -> tuple[dict[str, Track], Timeline, str]:
    """The tally of each track, the timeline of all packets, and the errors that ffprobe reported."""
    alpha = "video" in header.tracks and has_alpha(header.tracks["video"])
    positions = None if selection else positions_of(header.part, reading.demuxer, alpha=alpha)
    tallies, timeline, complaints = _read_with(path, header, reading, selection, positions)
    if alpha and complaints and positions is None:
        # Only these errors reveal the damage: transparent layers are stored between the packets anyway.
        damage = positions_of_complaints(complaints)
        if damage is not None:
            return _read_with(path, header, reading, selection, damage)
    return tallies, timeline, complaints


def _read_with(
    path: Path, header: PartHeader, reading: PartReading, selection: list[str], positions: Positions | None
) -> tuple[dict[str, Track], Timeline, str]:
    tallies, timeline = _new_timeline(header, reading.limits)
    timeline.positions = positions
    complaints = reading.read(path, header.part, [*selection, *PACKETS], timeline.read)
    return tallies, timeline, complaints


def _new_timeline(header: PartHeader, limits: Limits) -> tuple[dict[str, Track], Timeline]:
    tallies = {
        kind: Track(is_video=kind == "video", reorders=words["codec_name"] in _REORDERING)
        for kind, words in header.tracks.items()
    }
    return tallies, Timeline({str(header.tracks[kind]["index"]): track for kind, track in tallies.items()}, limits)


def correct_timeline(
    path: Path, header: PartHeader, reading: PartReading, tallies: dict[str, Track], timeline: Timeline
) -> tuple[Correction | None, dict[str, Track], Timeline]:
    """Read the packets a second time, and find the correction that makes their time increase."""
    lines: list[str] = []
    reading.read(path, header.part, PACKETS, lines.extend)
    tracks = {str(words["index"]): tallies[kind] for kind, words in header.tracks.items()}
    correction, corrected_lines = correct_lines(lines, tracks)
    if correction is None:
        return None, tallies, timeline
    tallies, timeline = _new_timeline(header, reading.limits)
    timeline.read(corrected_lines)
    return correction, tallies, timeline
