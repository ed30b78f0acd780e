"""Reads a rendition as a strict player would, without the code that wrote it: boxes by hand, packets by ffprobe."""

import json
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.media.processes.binaries import Binaries

CLOCK = 0.002
# The bytes of `avc1.PPCCLL`: Main, and levels up to 3.1.
MAIN, HIGHEST_LEVEL = 77, 31


@dataclass(frozen=True)
class Track:
    """What the file says and has: seconds of each packet and whether it is a key frame, and the stream by ffprobe."""

    stream: dict[str, Any]
    times: list[float]
    keys: list[float]
    seconds: float


def top_boxes(content: bytes) -> list[tuple[str, int, int]]:
    """(type, offset, size) of each box of the file; together they are the whole file."""
    boxes, at = [], 0
    while at < len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        assert size >= 8
        boxes.append((kind.decode(), at, size))
        at += size
    assert at == len(content)
    return boxes


def validate_fragmented(path: Path, binaries: Binaries, *, seconds: float, longest_segment: float) -> Track:
    """One track, header and one index in front that covers every byte, each fragment a segment with a key frame."""
    content = path.read_bytes()
    boxes = top_boxes(content)
    kinds = [kind for kind, _, _ in boxes]
    assert kinds[:3] == ["ftyp", "moov", "sidx"]
    assert kinds[3:] == ["moof", "mdat"] * (len(kinds[3:]) // 2)
    assert content.count(b"trak") == 1
    scale, entries = _index(content, boxes[2][1])
    fragments = [first[2] + second[2] for first, second in zip(boxes[3::2], boxes[4::2], strict=True)]
    assert [size for size, _, _ in entries] == fragments
    assert all(starts_with_key for _, _, starts_with_key in entries)
    lengths = [ticks / scale for _, ticks, _ in entries]
    assert max(lengths) <= longest_segment + CLOCK
    assert abs(sum(lengths) - seconds) <= 0.1
    track = read_track(path, binaries)
    assert abs(track.seconds - seconds) <= 0.1
    begins = [sum(lengths[:number]) for number in range(len(lengths))]
    if track.stream["codec_type"] == "video":
        assert all(min(abs(key - begin) for key in track.keys) <= CLOCK for begin in begins)
    return track


def _index(content: bytes, at: int) -> tuple[int, list[tuple[int, int, bool]]]:
    """The timescale of the `sidx`, and (bytes, ticks, begins with a key frame) of its entries."""
    version = content[at + 8]
    (scale,) = struct.unpack_from(">I", content, at + 16)
    (first,) = struct.unpack_from(">Q" if version else ">I", content, at + (28 if version else 24))
    assert first == 0
    count_at = at + (38 if version else 30)
    (count,) = struct.unpack_from(">H", content, count_at)
    entries = [struct.unpack_from(">III", content, count_at + 2 + 12 * number) for number in range(count)]
    assert all(size >> 31 == 0 for size, _, _ in entries), "no further index"
    return scale, [(size, ticks, bool(access >> 31)) for size, ticks, access in entries]


def validate_picture(track: Track, *, size: tuple[int, int], rate: float, rests: bool = False) -> None:
    """H.264 that every phone plays, in these even pixels, at a constant rate and with stated colours.

    Where it `rests`, frames that repeat the one before may be missing.
    """
    stream = track.stream
    assert (stream["codec_name"], stream["codec_tag_string"]) == ("h264", "avc1")
    assert (stream["profile"], stream["pix_fmt"]) == ("Main", "yuv420p")
    assert stream["level"] <= HIGHEST_LEVEL
    assert (stream["width"], stream["height"]) == size
    assert size[0] % 2 == size[1] % 2 == 0
    assert stream.get("sample_aspect_ratio", "1:1") == "1:1"
    assert stream["has_b_frames"] == 0
    matrix = "bt709" if size[1] >= 720 else "smpte170m"
    assert {stream[key] for key in ("color_space", "color_primaries", "color_transfer")} == {matrix}
    assert stream["color_range"] == "tv"
    assert track.times == sorted(track.times)
    assert abs(track.times[0]) <= CLOCK
    gaps = [after - before for before, after in zip(track.times, track.times[1:], strict=False)]
    frames = [gap * rate for gap in gaps]
    assert all(abs(number - round(number)) <= CLOCK * rate for number in frames)
    assert all(round(number) >= 1 if rests else round(number) == 1 for number in frames)


def read_track(path: Path, binaries: Binaries) -> Track:
    """The only track of the file."""
    entries = "stream:format=duration:packet=pts_time,duration_time,flags"
    command = [str(binaries.ffprobe), "-v", "error", "-show_entries", entries, "-of", "json", str(path)]
    document = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    (stream,) = document["streams"]
    packets = document["packets"]
    times = [float(packet["pts_time"]) for packet in packets]
    keys = [float(packet["pts_time"]) for packet in packets if "K" in packet["flags"]]
    return Track(stream, times, keys, float(document["format"]["duration"]))
