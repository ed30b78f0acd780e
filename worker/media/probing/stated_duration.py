"""Correct the duration that a WebM states (RFC 9559 §5.1.2), which players show before they have read its end.

ffmpeg adds the lead-in of Opus (CodecDelay) to it a second time when the source is an MP4, whose first packets hold the
lead-in: 80 ms for Chrome's Opus.
"""

import struct
from pathlib import Path
from typing import BinaryIO

from worker.media.containers import byte_search, ebml
from worker.media.probing.playable import PlayableForm

_DURATION, _TIMESTAMP_SCALE = 0x4489, 0x2AD7B1
_DEFAULT_SCALE = 1_000_000
# The Duration that ffmpeg writes is a float of 64 bits.
_FLOAT_BYTES = 8


def shorten_stated_duration(copy: Path, form: PlayableForm, duration_ms: int) -> None:
    """Write this duration into a WebM of copied packets if it states a longer one."""
    if form.container != "webm" or form.audio_encoder or form.video_encoder:
        return
    with copy.open("r+b") as file:
        info = ebml.info(file, copy.stat().st_size)
        stated, scale = info.get(_DURATION), info.get(_TIMESTAMP_SCALE)
        if stated is None or stated.end != stated.data + _FLOAT_BYTES:
            return
        ticks = duration_ms * 1_000_000 / _number(file, scale, _DEFAULT_SCALE)
        if struct.unpack(">d", byte_search.read_at(file, stated.data, _FLOAT_BYTES))[0] > ticks:
            file.seek(stated.data)
            file.write(struct.pack(">d", ticks))


def _number(file: BinaryIO, element: ebml.Element | None, default: int) -> int:
    if element is None or element.end is None:
        return default
    return int.from_bytes(byte_search.read_at(file, element.data, element.end - element.data), "big") or default
