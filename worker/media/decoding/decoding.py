"""Whether a fast copy's pictures and sound can be decoded: a short copy is decoded as a whole, a long one in samples.

A file whose packets can all be read may still fail in a browser: counting packets does not look into them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from worker.media.containers.kinds import detect_demuxer
from worker.media.decoding.contrast import Contrast
from worker.media.decoding.decode_sound import broken_sounds
from worker.media.decoding.decoder import CopiedTrack, CopyPacket
from worker.media.decoding.stretches import (
    MAX_PLACES,
    MOMENT,
    STRICT,
    Stretch,
    broken_keys,
    key_frame_groups,
    key_times,
    merged_stretches,
    missing_packets,
    unparsed_pictures,
)
from worker.media.probing.streams import AudioStream, VideoStream
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import never

# Pixels of a copy that is decoded from start to end: about two and a half seconds of one core. libvpx takes 0.87 s for
# 335 pictures of VP9 in 1280 x 720, 309 million; AV1, VP8 and H.264 take no longer.
_CHEAP_PIXELS = 900_000_000
# Key frames to decode from a longer copy that has no places of possible damage.
SAMPLED = 24
# The maximum number of pictures around one place.
_MAX_PICTURES = 3000
# How many groups with missing pictures are decoded again, to see whether that is a fault.
_MAX_CONFIRMED = 60
# The decoder that Chrome uses: it fails where ffmpeg's own one continues.
_DECODERS = {"vp9": "libvpx-vp9"}


@dataclass(frozen=True)
class DecodeResult:
    """How many pictures were decoded, and the stretches (seconds) whose pictures or sound cannot be decoded.

    `nothing`: not a single picture can be shown. `contrasts` are those of a sample's key frames.
    """

    pictures: int
    broken: tuple[Stretch, ...] = ()
    nothing: bool = False
    broken_sounds: tuple[Stretch, ...] = ()
    contrasts: tuple[Contrast, ...] = ()


def decode_copy(
    path: Path,
    video: VideoStream | None,
    audio: AudioStream | None,
    binaries: Binaries,
    *,
    places: Sequence[float] = (),
    should_stop: Callable[[], bool] = never,
) -> DecodeResult:
    """Decode these tracks of the copy: all of a short one; else a sample, and everything around `places` (seconds).

    Raises what the runner raises.
    """
    picture = CopiedTrack(path, detect_demuxer(path), "v", binaries, should_stop)
    decoded = DecodeResult(0)
    if video is not None:
        decoded = _decode_pictures(
            replace(picture, decoder=_DECODERS.get(video.codec, ""), alpha=video.alpha), video, places
        )
    if audio is None:
        return decoded
    return replace(decoded, broken_sounds=broken_sounds(replace(picture, kind="a"), audio, places))


def _decode_pictures(track: CopiedTrack, video: VideoStream, places: Sequence[float]) -> DecodeResult:
    if video.width * video.height * video.frames <= _CHEAP_PIXELS:
        return _decode_all(track, video)
    return _decode_sample(track, video, [*places, *unparsed_pictures(track, video)])


def _decode_all(track: CopiedTrack, video: VideoStream) -> DecodeResult:
    strict = track.decode(**STRICT)
    pictures = len(strict.times)
    if not strict.complained and strict.times:
        return DecodeResult(pictures)
    if not strict.times:
        pictures = len(track.decode().times)
        return DecodeResult(pictures, nothing=not pictures and video.key_frames > 0)
    packets = track.packets()
    broken: list[Stretch] = []
    # Not every packet is a shown picture (VP8 has golden frames), so a missing one alone proves nothing.
    suspected = [group for group in key_frame_groups(packets) if missing_packets(strict, group)]
    for group in suspected[:_MAX_CONFIRMED]:
        count, stretches = _decode_around(track, packets, group[0].at, STRICT)
        pictures += count
        broken += stretches
    return DecodeResult(pictures, merged_stretches(broken))


def _decode_sample(track: CopiedTrack, video: VideoStream, places: Sequence[float]) -> DecodeResult:
    step = max(1, -(-video.key_frames // SAMPLED))
    # st() counts key frames; all other packets are dropped before the decoder. ffmpeg's own VP8 decoder ignores the
    # transparency.
    contrasts = not video.alpha or track.decoder.startswith("libvpx")
    sample = replace(track, contrasts=contrasts).decode(f"if(key,mod(st(0,ld(0)+1)-1,{step}),1)")
    if not sample.complained and not places:
        nothing = not sample.times and video.key_frames > 0
        return DecodeResult(len(sample.times), nothing=nothing, contrasts=sample.contrasts)
    packets = track.packets()
    pictures, broken = len(sample.times), []
    if sample.complained or not sample.times:
        # The strict decoder fails on pictures whose damage the lenient one conceals.
        strict = track.decode("not(key)", **STRICT)
        pictures += len(strict.times)
        if not strict.times and not sample.times:
            return DecodeResult(pictures, nothing=True)
        if strict.times:
            broken += broken_keys(key_times(packets), strict)
    for place in list(places)[:MAX_PLACES]:
        if not any(start <= place < end for start, end in broken):
            count, stretches = _decode_around(track, packets, place, STRICT)
            pictures += count
            broken += stretches
    return DecodeResult(pictures, merged_stretches(broken), contrasts=sample.contrasts)


def _decode_around(
    track: CopiedTrack, packets: list[CopyPacket], place: float, options: dict[str, str]
) -> tuple[int, list[Stretch]]:
    """Decode from the key frame before `place` to the next one; returns how many pictures, and the broken stretch."""
    start = max((at for at in key_times(packets) if at <= place), default=0.0)
    end = min((at for at in key_times(packets) if at > place + MOMENT), default=math.inf)
    group = [packet for packet in packets if start <= packet.at < end]
    if not group or len(group) > _MAX_PICTURES:
        return 0, []
    window = {"ss": f"{start:.6f}"} | ({} if end == math.inf else {"to": f"{end:.6f}"})
    output = track.decode(**window, **options)
    missing = missing_packets(output, group)
    if not output.complained or not missing:
        return len(output.times), []
    return len(output.times), [(missing[0].at - MOMENT, end - MOMENT)]
