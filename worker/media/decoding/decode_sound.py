"""Whether a fast copy's sound can be decoded: a short one is decoded as a whole, a long one around damaged places."""

import itertools
import math
import statistics
from collections.abc import Sequence

from worker.media.decoding.decoder import CopiedTrack, CopyPacket, DecoderOutput
from worker.media.decoding.stretches import MAX_PLACES, MOMENT, STRICT, Stretch, merged_stretches, missing_packets
from worker.media.probing.packet_timeline import GAP_SECONDS
from worker.media.probing.streams import AudioStream

# In packets: five minutes of Chrome's Opus, 60 ms each, which take 0.8 s.
_CHEAP_SOUNDS = 5000
# Seconds of sound decoded before and after a place.
_SOUND_AROUND = 2.0
# Sound decoders round times and skip a lead-in; a packet lasts 20 ms or more.
_HALF_A_SOUND = 0.012
# If less sound than this remains between two undecodable stretches, it is dropped with them.
_SOUND_BETWEEN = 0.1
# In packets: times are rounded to a millisecond, and a packet lasts 20 ms or more.
_ROUNDING = 0.1
# If a larger share is missing, the times of packets and of decoded sound are not comparable.
_MAX_SOUND_MISSING = 0.2


def broken_sounds(track: CopiedTrack, audio: AudioStream, places: Sequence[float]) -> tuple[Stretch, ...]:
    if audio.packets <= _CHEAP_SOUNDS:
        windows = [(0.0, math.inf)]
    else:
        windows = [(max(0.0, place - _SOUND_AROUND), place + _SOUND_AROUND) for place in list(places)[:MAX_PLACES]]
    broken: list[Stretch] = []
    packets: list[CopyPacket] = []
    for start, end in windows:
        output = track.decode(**STRICT, **({} if end == math.inf else {"ss": f"{start:.6f}", "to": f"{end:.6f}"}))
        if output.complained and output.times:
            packets = packets or track.packets()
            # Packets before the first output may be a lead-in, which is not heard.
            broken += _silent(output, [p for p in packets if output.times[0] < p.at < end])
    return merged_stretches(broken, _SOUND_BETWEEN)


def _silent(output: DecoderOutput, packets: list[CopyPacket]) -> list[Stretch]:
    """The stretches of sound that were not decoded, of a run with errors."""
    missing = missing_packets(output, packets, _HALF_A_SOUND)
    if len(missing) > len(packets) * _MAX_SOUND_MISSING:
        return []
    ends = {packet.at: behind.at for packet, behind in itertools.pairwise(packets)}
    unheard = [(packet.at - MOMENT, ends.get(packet.at, math.inf) - MOMENT) for packet in missing]
    usual = statistics.median([end - at for at, end in ends.items()] or [0.0])
    return [*unheard, *((at + usual, end - MOMENT) for at, end in ends.items() if _is_unread(end - at, usual))]


def _is_unread(seconds: float, usual: float) -> bool:
    """Whether a pause has the length of whole packets, each of `usual` seconds.

    ffmpeg's demuxer drops a packet whose first byte is wrong, so it is in no list; browsers do not drop it.
    """
    packets = seconds / usual if usual else 0.0
    return packets > 1.5 and seconds < GAP_SECONDS and abs(packets - round(packets)) < _ROUNDING
