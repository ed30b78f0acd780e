"""Find stretches of a copy that cannot be decoded, from the packets that a decoder run does not output."""

import math
from collections.abc import Iterable

from worker.media.decoding.decoder import CopiedTrack, CopyPacket, DecoderOutput
from worker.media.probing.streams import VideoStream

# How many places at which packets may be missing are examined.
MAX_PLACES = 20
# Decoders fail on damaged pictures instead of concealing the damage.
STRICT = {"err_detect": "explode"}
# Times are rounded, so the search for the first key frame after a place starts a moment later.
MOMENT = 0.005

# Seconds of the copy: start, end.
Stretch = tuple[float, float]


def missing_packets(
    output: DecoderOutput, packets: Iterable[CopyPacket], slack: float = MOMENT / 2
) -> list[CopyPacket]:
    """The packets that are not in the output; times may differ by `slack` seconds."""
    return [packet for packet in packets if not output.has(packet.at, slack)]


def merged_stretches(stretches: Iterable[Stretch], apart: float = 2 * MOMENT) -> tuple[Stretch, ...]:
    """The stretches, with those at most `apart` seconds from each other merged."""
    merged: list[Stretch] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1] + apart:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return tuple(merged)


def key_times(packets: list[CopyPacket]) -> list[float]:
    """The times of the key frames."""
    return [packet.at for packet in packets if packet.key]


def key_frame_groups(packets: list[CopyPacket]) -> list[list[CopyPacket]]:
    """The pictures from each key frame to the next."""
    groups: list[list[CopyPacket]] = []
    for packet in packets:
        if packet.key or not groups:
            groups.append([])
        groups[-1].append(packet)
    return groups


def broken_keys(keys: list[float], output: DecoderOutput) -> list[Stretch]:
    """From each key frame that was not output to the next one that was."""
    stretches: list[Stretch] = []
    start: float | None = None
    for at in keys:
        if output.has(at, MOMENT / 2):
            if start is not None:
                stretches.append((start - MOMENT, at - MOMENT))
            start = None
        elif start is None:
            start = at
    return stretches if start is None else [*stretches, (start - MOMENT, math.inf)]


# Bitstream filters that parse the start of every picture. MP4 has no structure around its packets that damage would
# break, so only the pictures reveal it.
_PARSERS = {codec: f"{codec}_metadata" for codec in ("vp9", "av1", "h264", "hevc")}


def unparsed_pictures(track: CopiedTrack, video: VideoStream) -> list[float]:
    """Times of the pictures of an MP4 whose start cannot be parsed."""
    if track.demuxer != "mov" or video.codec not in _PARSERS:
        return []
    parsed = track.parse(_PARSERS[video.codec])
    return [packet.at for packet in missing_packets(parsed, track.packets())] if parsed.complained else []
