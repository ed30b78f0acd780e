"""Read every packet of a recording with ffprobe: its true length, its holes, and how to make its time increase."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from worker.media.containers.parts import with_clusters_in_order
from worker.media.errors import MediaRejected, zero_length
from worker.media.limits import DEFAULT_LIMITS, Limits
from worker.media.probing.correction import Correction
from worker.media.probing.header import FORGIVEN, Header, PartHeader, PartReading, read_header
from worker.media.probing.packet_timeline import Timeline
from worker.media.probing.probe import Probe, ProbedPart, join
from worker.media.probing.repairs import Repair, RepairKind
from worker.media.probing.streams import audio_stream, video_stream
from worker.media.probing.timeline_reading import correct_timeline, read_timeline
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import never

# Three hours of packets, which are kept in memory while timestamps that go back are corrected.
_MAX_CORRECTED = 1_000_000
_LOST: dict[str, RepairKind] = {"video": "picture-lost", "audio": "sound-lost"}


def probe(
    path: Path, binaries: Binaries, *, limits: Limits = DEFAULT_LIMITS, should_stop: Callable[[], bool] = never
) -> Probe:
    """Read the whole file and return what it contains.

    Raises MediaRejected when it is not a usable recording, and what the runner raises.
    """
    header = read_header(path, binaries, limits=limits, should_stop=should_stop)
    return read_packets(path, header, binaries, limits=limits, should_stop=should_stop)


def read_packets(
    path: Path,
    header: Header,
    binaries: Binaries,
    *,
    limits: Limits = DEFAULT_LIMITS,
    should_stop: Callable[[], bool] = never,
) -> Probe:
    """Read all packets of the file with this header and return what it contains. Raises the errors of `probe`."""
    reading = PartReading(header.demuxer, binaries, limits.for_size(header.size_bytes), should_stop)
    probed: list[ProbedPart] = []
    rejections = list(header.rejections)
    for part in header.parts:
        try:
            probed_part = _probe_part(path, part, reading)
        except MediaRejected as error:
            if error.reason not in FORGIVEN:
                raise
            rejections.append(error)
        else:
            probed.append(replace(probed_part, truncated=part.part.cut_off))
    if not probed:
        raise rejections[0]
    whole = join(header, probed, limits)
    lost = sum(error.reason == "damaged" for error in rejections)
    return replace(whole, mixed=header.mixed, lost_parts=lost)


def _probe_part(path: Path, header: PartHeader, reading: PartReading) -> ProbedPart:
    """Read every packet of one recording."""
    tallies, timeline, complaints = read_timeline(path, header, reading, [])
    if timeline.went_back:
        ordered = _in_order(path, header, reading)
        if ordered is not None:
            return _probe_part(path, ordered, reading)
    kinds = [kind for kind, track in tallies.items() if track.packets]
    if not kinds:
        raise zero_length()
    if len(kinds) == 1 and len(tallies) == 2:
        # ffprobe stops at a packet beyond the end of a cut file, although the other track may continue.
        index = str(header.tracks[kinds[0]]["index"])
        tallies, timeline, complaints = read_timeline(path, header, reading, ["-select_streams", index])
    correction = None
    if timeline.went_back and timeline.packets <= _MAX_CORRECTED:
        correction, tallies, timeline = correct_timeline(path, header, reading, tallies, timeline)
    lost = [Repair(word) for kind, word in _LOST.items() if kind in header.tracks and kind not in kinds]
    places = [*timeline.places, *_seams(correction), *(timeline.holes if complaints else ())]
    return ProbedPart(
        part=header.part,
        # A single frame without a duration counts as one millisecond.
        duration_ms=max(1, round(timeline.seconds * 1000)),
        header_duration_ms=header.duration_ms,
        # A track has no packets if, for example, the camera never started.
        video=video_stream(header.tracks["video"], tallies["video"]) if "video" in kinds else None,
        audio=audio_stream(header.tracks["audio"], tallies["audio"]) if "audio" in kinds else None,
        gaps=timeline.gaps_in_ms(),
        truncated=False,
        repairs=(*header.left_out, *lost, *_timeline_repairs(timeline, correction, header)),
        correction=correction,
        jumps=tuple(timeline.jumps),
        places=tuple(place - timeline.first for place in places),
    )


def _in_order(path: Path, header: PartHeader, reading: PartReading) -> PartHeader | None:
    """The recording with its clusters ordered by time; None when that does not make time increase."""
    if header.part.pieces or (header.part.demuxer or reading.demuxer) != "matroska":
        return None
    part = with_clusters_in_order(path, header.part, should_stop=reading.should_stop)
    if part is None:
        return None
    ordered = replace(header, part=part)
    # If the clock restarted, sorting would mix its clusters with the earlier ones.
    return None if read_timeline(path, ordered, reading, [])[1].went_back else ordered


def _timeline_repairs(timeline: Timeline, correction: Correction | None, header: PartHeader) -> list[Repair]:
    return [
        *(correction.repairs if correction else ()),
        *(Repair("clock-jump", at_ms=jump.start_ms, length_ms=jump.length_ms) for jump in timeline.jumps_in_ms()),
        *(Repair("damaged", at_ms=at) for at in timeline.skipped_in_ms()),
        *([Repair("reordered")] if header.part.pieces else []),
    ]


def _seams(correction: Correction | None) -> list[float]:
    """Where packets were left out or shifted (seconds)."""
    return [repair.at_ms / 1000 for repair in correction.repairs if repair.at_ms] if correction else []
