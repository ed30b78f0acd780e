"""Playlists of HTTP Live Streaming (RFC 8216) over byte ranges of fragmented MP4 files. Pure functions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from worker.media.renditions.fragments import Segments

# EXT-X-MAP in a playlist that is not limited to key frames requires version 6; players of fragmented MP4 expect 7.
_HEAD = ("#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS")
_SOUND = "sound"


@dataclass(frozen=True)
class HlsTrack:
    """A track: the address of its playlist, its codec (RFC 6381), its size if it is a picture, its segments."""

    address: str
    codecs: str
    size: tuple[int, int] | None
    segments: Segments


def master_playlist(pictures: Sequence[HlsTrack], sound: HlsTrack | None) -> str:
    """The playlist of all variants: each picture with the sound, and the sound alone for the slowest links."""
    lines = list(_HEAD)
    if sound is not None and pictures:
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{_SOUND}",NAME="{_SOUND}",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",'
            f'URI="{sound.address}"'
        )
    for picture in pictures:
        lines += [_variant(picture, sound), picture.address]
    if sound is not None:
        group = f',AUDIO="{_SOUND}"' if pictures else ""
        rates = f"BANDWIDTH={_peak(sound.segments)},AVERAGE-BANDWIDTH={_average(sound.segments)}"
        lines += [f'#EXT-X-STREAM-INF:{rates},CODECS="{sound.codecs}"{group}', sound.address]
    return "\n".join(lines) + "\n"


def media_playlist(segments: Segments, address: str) -> str:
    """The playlist of one file at `address`: a segment for each of its fragments."""
    longest = max((ms for ms, _ in segments.parts), default=1000)
    lines = [
        *_HEAD,
        f"#EXT-X-TARGETDURATION:{math.ceil(longest / 1000)}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        f'#EXT-X-MAP:URI="{address}",BYTERANGE="{segments.init}@0"',
    ]
    at = segments.start
    for ms, size in segments.parts:
        lines += [f"#EXTINF:{ms / 1000:.3f},", f"#EXT-X-BYTERANGE:{size}@{at}", address]
        at += size
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def _variant(picture: HlsTrack, sound: HlsTrack | None) -> str:
    tracks = [picture] if sound is None else [picture, sound]
    width, height = picture.size or (0, 0)
    rates = (
        f"BANDWIDTH={sum(_peak(track.segments) for track in tracks)},"
        f"AVERAGE-BANDWIDTH={sum(_average(track.segments) for track in tracks)}"
    )
    codecs = ",".join(track.codecs for track in tracks)
    group = "" if sound is None else f',AUDIO="{_SOUND}"'
    return f'#EXT-X-STREAM-INF:{rates},CODECS="{codecs}",RESOLUTION={width}x{height}{group}'


def _peak(segments: Segments) -> int:
    """The peak bit rate (RFC 8216 §4.1): the highest of any row of segments that lasts 0.5 to 1.5 target durations.

    A page turn shortly before a regular key frame makes a segment of a fraction of a second. Its own rate is many times
    that of a link on which the film plays without a pause.
    """
    parts = segments.parts
    longest = max((ms for ms, _ in parts), default=0)
    rates = [0]
    for first in range(len(parts)):
        lasting = length = 0
        for number in range(first, len(parts)):
            lasting, length = lasting + parts[number][0], length + parts[number][1]
            if 2 * lasting > 3 * longest:
                break
            if 2 * lasting >= longest:
                rates.append(math.ceil(length * 8000 / max(lasting, 1)))
    return max(rates)


def _average(segments: Segments) -> int:
    return math.ceil(sum(size for _, size in segments.parts) * 8000 / max(segments.duration_ms, 1))
