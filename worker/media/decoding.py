"""Whether the pictures and the sound of a fast copy can be decoded: all of a short one, of a long one a sample.

A file whose packets can all be read may still stop a browser: counting packets does not look into them.
"""

import itertools
import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from worker.media.binaries import Binaries
from worker.media.contrast import Contrast
from worker.media.decoder import CopiedTrack, CopyPacket, Run
from worker.media.kinds import detect_demuxer
from worker.media.packet_timeline import GAP_SECONDS
from worker.media.runner import never
from worker.media.streams import AudioStream, VideoStream

# Pixels that are decoded from beginning to end: about two and a half seconds of one core. libvpx takes 0.87 s for 335
# pictures of VP9 in 1280 x 720, 309 million; AV1, VP8 and H.264 take no longer.
_CHEAP_PIXELS = 900_000_000
# Packets of sound: five minutes of Chrome's Opus, 60 ms each, which take 0.8 s.
_CHEAP_SOUNDS = 5000
# Key frames that are decoded of a longer copy without places of possible damage.
SAMPLED = 24
# Places at which packets may be missing: how many are looked at, and how many pictures are decoded for one.
_MOST_PLACES = 20
_MOST_PICTURES = 3000
# Key frames behind which pictures are missing: how many are decoded once more to see whether that is a fault.
_MOST_CONFIRMED = 60
# Seconds of sound that are decoded before and behind a place.
_SOUND_AROUND = 2.0
# Decoders of sound round its times and leave out a lead-in; a packet lasts 20 ms and more.
_HALF_A_SOUND = 0.012
# Less sound than this between two stretches that are not heard is left out with them.
_SOUND_BETWEEN = 0.1
# Times are rounded to a millisecond, of packets that last 20.
_ROUNDING = 0.1
# With a larger share missing, the times of packets and of decoded sound cannot be compared.
_MOST_SOUND_MISSING = 0.2
# Chrome's decoder, which fails where ffmpeg's own continues.
_DECODERS = {"vp9": "libvpx-vp9"}
# Bitstream filters that parse the beginning of every picture: an MP4 has no structure around its packets that damage
# would break.
_PARSERS = {codec: f"{codec}_metadata" for codec in ("vp9", "av1", "h264", "hevc")}
# Decoders fail on damaged pictures instead of concealing the damage.
_STRICT = {"err_detect": "explode"}
# Times are rounded, so the first key frame behind a place is searched from a moment later.
_MOMENT = 0.005

# Seconds of the copy: from, until.
Stretch = tuple[float, float]


@dataclass(frozen=True)
class DecodeResult:
    """How many pictures were decoded, and the stretches (seconds) whose pictures or sound cannot be decoded.

    `nothing`: not one picture can be shown. `contrasts` are those of the key frames of a sample.
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
    return replace(decoded, broken_sounds=_broken_sounds(replace(picture, kind="a"), audio, places))


def _decode_pictures(track: CopiedTrack, video: VideoStream, places: Sequence[float]) -> DecodeResult:
    if video.width * video.height * video.frames <= _CHEAP_PIXELS:
        return _decode_all(track, video)
    return _decode_sample(track, video, [*places, *_misread(track, video)])


def _decode_all(track: CopiedTrack, video: VideoStream) -> DecodeResult:
    strict = track.decode(**_STRICT)
    pictures = len(strict.times)
    if not strict.complained and strict.times:
        return DecodeResult(pictures)
    if not strict.times:
        pictures = len(track.decode().times)
        return DecodeResult(pictures, nothing=not pictures and video.key_frames > 0)
    packets = track.packets()
    broken: list[Stretch] = []
    # Not every packet is a picture that is shown (VP8's golden frames), so a missing one alone proves nothing.
    suspected = [group for group in _groups(packets) if _missing(strict, group)]
    for group in suspected[:_MOST_CONFIRMED]:
        count, stretches = _decode_around(track, packets, group[0].at, _STRICT)
        pictures += count
        broken += stretches
    return DecodeResult(pictures, _merged(broken))


def _decode_sample(track: CopiedTrack, video: VideoStream, places: Sequence[float]) -> DecodeResult:
    step = max(1, -(-video.key_frames // SAMPLED))
    # st() counts key frames; all other packets are dropped before the decoder.
    # ffmpeg's own decoder of VP8 shows a transparent picture without its transparency.
    contrasts = not video.alpha or track.decoder.startswith("libvpx")
    sample = replace(track, contrasts=contrasts).decode(f"if(key,mod(st(0,ld(0)+1)-1,{step}),1)")
    if not sample.complained and not places:
        nothing = not sample.times and video.key_frames > 0
        return DecodeResult(len(sample.times), nothing=nothing, contrasts=sample.contrasts)
    packets = track.packets()
    pictures, broken = len(sample.times), []
    if sample.complained or not sample.times:
        # The strict decoder fails on pictures whose damage the lenient one conceals.
        strict = track.decode("not(key)", **_STRICT)
        pictures += len(strict.times)
        if not strict.times and not sample.times:
            return DecodeResult(pictures, nothing=True)
        if strict.times:
            broken += _broken_keys(_keys(packets), strict)
    for place in list(places)[:_MOST_PLACES]:
        if not any(start <= place < end for start, end in broken):
            count, stretches = _decode_around(track, packets, place, _STRICT)
            pictures += count
            broken += stretches
    return DecodeResult(pictures, _merged(broken), contrasts=sample.contrasts)


def _misread(track: CopiedTrack, video: VideoStream) -> list[float]:
    """Times of pictures of an MP4 whose beginning cannot be parsed."""
    if track.demuxer != "mov" or video.codec not in _PARSERS:
        return []
    parsed = track.parse(_PARSERS[video.codec])
    return [packet.at for packet in _missing(parsed, track.packets())] if parsed.complained else []


def _keys(packets: list[CopyPacket]) -> list[float]:
    return [packet.at for packet in packets if packet.key]


def _missing(run: Run, packets: Iterable[CopyPacket], slack: float = _MOMENT / 2) -> list[CopyPacket]:
    return [packet for packet in packets if not run.has(packet.at, slack)]


def _groups(packets: list[CopyPacket]) -> list[list[CopyPacket]]:
    """The pictures from each key frame to the next."""
    groups: list[list[CopyPacket]] = []
    for packet in packets:
        if packet.key or not groups:
            groups.append([])
        groups[-1].append(packet)
    return groups


def _merged(stretches: Iterable[Stretch], apart: float = 2 * _MOMENT) -> tuple[Stretch, ...]:
    """The stretches, with those merged that are at most `apart` seconds from each other."""
    merged: list[Stretch] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1] + apart:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return tuple(merged)


def _broken_keys(keys: list[float], run: Run) -> list[Stretch]:
    """From each key frame that is not shown to the next one that is."""
    stretches: list[Stretch] = []
    start: float | None = None
    for at in keys:
        if run.has(at, _MOMENT / 2):
            if start is not None:
                stretches.append((start - _MOMENT, at - _MOMENT))
            start = None
        elif start is None:
            start = at
    return stretches if start is None else [*stretches, (start - _MOMENT, math.inf)]


def _decode_around(
    track: CopiedTrack, packets: list[CopyPacket], place: float, options: dict[str, str]
) -> tuple[int, list[Stretch]]:
    """Decode from the key frame before `place` to the next one: how many pictures, and the stretch that is broken."""
    start = max((at for at in _keys(packets) if at <= place), default=0.0)
    end = min((at for at in _keys(packets) if at > place + _MOMENT), default=math.inf)
    group = [packet for packet in packets if start <= packet.at < end]
    if not group or len(group) > _MOST_PICTURES:
        return 0, []
    window = {"ss": f"{start:.6f}"} | ({} if end == math.inf else {"to": f"{end:.6f}"})
    run = track.decode(**window, **options)
    missing = _missing(run, group)
    if not run.complained or not missing:
        return len(run.times), []
    return len(run.times), [(missing[0].at - _MOMENT, end - _MOMENT)]


def _broken_sounds(track: CopiedTrack, audio: AudioStream, places: Sequence[float]) -> tuple[Stretch, ...]:
    if audio.packets <= _CHEAP_SOUNDS:
        windows = [(0.0, math.inf)]
    else:
        windows = [(max(0.0, place - _SOUND_AROUND), place + _SOUND_AROUND) for place in list(places)[:_MOST_PLACES]]
    broken: list[Stretch] = []
    packets: list[CopyPacket] = []
    for start, end in windows:
        run = track.decode(**_STRICT, **({} if end == math.inf else {"ss": f"{start:.6f}", "to": f"{end:.6f}"}))
        if run.complained and run.times:
            packets = packets or track.packets()
            # What comes first may be a lead-in, which is not heard.
            broken += _silent(run, [p for p in packets if run.times[0] < p.at < end])
    return _merged(broken, _SOUND_BETWEEN)


def _silent(run: Run, packets: list[CopyPacket]) -> list[Stretch]:
    """The stretches of sound that were not decoded, in a run with errors."""
    missing = _missing(run, packets, _HALF_A_SOUND)
    if len(missing) > len(packets) * _MOST_SOUND_MISSING:
        return []
    ends = {packet.at: behind.at for packet, behind in itertools.pairwise(packets)}
    unheard = [(packet.at - _MOMENT, ends.get(packet.at, math.inf) - _MOMENT) for packet in missing]
    usual = statistics.median([end - at for at, end in ends.items()] or [0.0])
    return [*unheard, *((at + usual, end - _MOMENT) for at, end in ends.items() if _is_unread(end - at, usual))]


def _is_unread(seconds: float, usual: float) -> bool:
    """Whether a pause has the length of whole packets, each of `usual` seconds.

    ffmpeg's demuxer drops a packet whose first byte is wrong, so no list contains it; browsers do not drop it.
    """
    packets = seconds / usual if usual else 0.0
    return packets > 1.5 and seconds < GAP_SECONDS and abs(packets - round(packets)) < _ROUNDING
