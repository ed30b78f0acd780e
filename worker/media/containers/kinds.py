"""Detect what a file is by its first bytes, never by its name or MIME type; each rejected kind has its own error."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from worker.media.containers import ebml
from worker.media.containers.container import EBML_MAGIC
from worker.media.containers.unknown_kinds import refuse
from worker.media.errors import MediaRejected
from worker.media.limits import Demuxer

# How many first bytes are examined.
SNIFFED = 1024 * 1024
# Boxes that an MP4 begins with: `ftyp`, or in old QuickTime files one of the others.
_BEGINNINGS = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
# Brands of still pictures stored in MP4 boxes (HEIF, AVIF, Canon raw).
_PICTURE_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2", b"avif", b"crx "})

_PHOTO = "This is a picture ({0}), not a recording. Upload the file that the recorder made."
_OTHER = "This is a {0} file, which browsers cannot play. Convert it to MP4 (H.264 and AAC), and upload that."


@dataclass(frozen=True)
class _Magic:
    """Bytes at an offset, and what they mean: a demuxer, or the reason and sentence of a rejection."""

    bytes: bytes
    offset: int = 0
    demuxer: Demuxer | None = None
    reason: str = "not-a-recording"
    detail: str = ""


_MAGICS = (
    _Magic(EBML_MAGIC, demuxer="matroska"),
    _Magic(b"OggS", demuxer="ogg"),
    _Magic(b"ID3", demuxer="mp3"),
    _Magic(b"fLaC", demuxer="flac"),
    _Magic(b"FLV\x01", demuxer="flv"),
    _Magic(b"WAVE", 8, demuxer="wav"),
    _Magic(b"AVI ", 8, demuxer="avi"),
    _Magic(b"#!AMR", demuxer="amr"),
    _Magic(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", reason="unsupported-format", detail=_OTHER.format("Windows Media")),
    _Magic(b".RMF", reason="unsupported-format", detail=_OTHER.format("RealMedia")),
    _Magic(b"\0\0\1\xba", reason="unsupported-format", detail=_OTHER.format("MPEG program stream (DVD)")),
    _Magic(b"FORM", reason="unsupported-format", detail=_OTHER.format("AIFF sound")),
    _Magic(b"caff", reason="unsupported-format", detail=_OTHER.format("Core Audio")),
    _Magic(b"WEBP", 8, detail=_PHOTO.format("WebP")),
    _Magic(b"GIF8", detail=_PHOTO.format("GIF")),
    _Magic(b"\xff\xd8\xff", detail=_PHOTO.format("JPEG")),
    _Magic(b"\x89PNG\r\n", detail=_PHOTO.format("PNG")),
    _Magic(b"PK\3\4", detail="This is a ZIP archive or an Office document. Unpack it and upload the recording inside."),
    _Magic(b"Rar!\x1a\7", detail="This is a RAR archive. Unpack it and upload the recording inside."),
    _Magic(b"7z\xbc\xaf\x27\x1c", detail="This is a 7-Zip archive. Unpack it and upload the recording inside."),
    _Magic(b"\x1f\x8b\x08", detail="This is a gzip archive. Unpack it and upload the recording inside."),
    _Magic(b"%PDF", detail="This is a PDF document, not a recording. Upload the file that the recorder made."),
    _Magic(b"#EXTM3U", detail="This is a playlist, which holds no recording. Upload the recording itself."),
)
_TS_PACKET = 188
_FRAMES_IN_A_ROW = 3
# kbit/s by the index in a layer III frame: MPEG-1, and MPEG-2 with its extension to low rates.
_MP3_RATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MP3_LOW_RATES = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def detect_demuxer(path: Path) -> Demuxer:
    """The demuxer for this file, from its bytes. Raises MediaRejected, with a sentence for its kind, if none."""
    with path.open("rb") as file:
        return demuxer_of(file.read(SNIFFED))


def demuxer_of(head: bytes) -> Demuxer:
    """The demuxer for a file with these first bytes. Raises MediaRejected, as `detect_demuxer`."""
    if not head:
        raise MediaRejected("empty", "The file is empty. Record the lesson again, or upload the right file.")
    for magic in _MAGICS:
        if head.startswith(magic.bytes, magic.offset) and (magic.offset == 0 or head.startswith(b"RIFF")):
            if magic.demuxer is None:
                raise MediaRejected(magic.reason, magic.detail)
            return magic.demuxer
    return _of_boxes(head) or _of_sync_words(head) or refuse(head)


def _of_boxes(head: bytes) -> Demuxer | None:
    box, length = head[4:8], int.from_bytes(head[:4], "big")
    if box == b"ftyp" and head[8:12] in _PICTURE_BRANDS:
        raise MediaRejected("not-a-recording", _PHOTO.format("HEIC or AVIF photo"))
    # Length 0: to the end of the file; 1: a 64-bit length follows.
    return "mov" if box in _BEGINNINGS and (length >= 8 or length in (0, 1)) else None


def _of_sync_words(head: bytes) -> Demuxer | None:
    """Detect streams without a header, in which every packet or frame begins with the same bits."""
    if len(head) > 3 * _TS_PACKET and all(head[at] == 0x47 for at in range(0, 3 * _TS_PACKET, _TS_PACKET)):
        return "mpegts"
    if _frames_follow(head, _adts_length):
        return "aac"
    return "mp3" if _frames_follow(head, _mp3_length) else None


def _frames_follow(head: bytes, length_at: Callable[[bytes], int]) -> bool:
    at = 0
    for _ in range(_FRAMES_IN_A_ROW):
        length = length_at(head[at : at + 8])
        if not length:
            return False
        at += length
    return True


def _adts_length(frame: bytes) -> int:
    """The length of an ADTS frame of AAC (ISO/IEC 13818-7 §6.2); 0 when it is none."""
    if len(frame) < 8 or frame[0] != 0xFF or frame[1] & 0xF6 != 0xF0:
        return 0
    length = (frame[3] & 3) << 11 | frame[4] << 3 | frame[5] >> 5
    return length if length > 7 else 0


def _mp3_length(frame: bytes) -> int:
    """The length of a frame of MPEG audio layer III (ISO/IEC 11172-3 §2.4.2.3); 0 when it is none."""
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xE6 != 0xE2:
        return 0
    version, rate, sampling = frame[1] >> 3 & 3, frame[2] >> 4, frame[2] >> 2 & 3
    if version == 1 or rate in (0, 15) or sampling == 3:
        return 0
    first = version == 3
    kbit = (_MP3_RATES if first else _MP3_LOW_RATES)[rate]
    hertz = (44_100, 48_000, 32_000)[sampling] >> {3: 0, 2: 1, 0: 2}[version]
    return (144 if first else 72) * kbit * 1000 // hertz + (frame[2] >> 1 & 1)


Container = Literal["webm", "matroska", "mp4", "ogg", "mp3", "aac", "flac", "mpegts", "flv", "wav", "avi", "amr"]


def container_of(path: Path, demuxer: Demuxer) -> Container:
    """The container that the file states."""
    if demuxer == "matroska":
        return "webm" if ebml.doctype(path) == "webm" else "matroska"
    return "mp4" if demuxer == "mov" else demuxer
