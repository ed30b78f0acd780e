"""Write a lesson as one .html file that plays without a network.

Sound and strokes are blocks of bytes in a page with the charset windows-1252, in which each byte is a character. Base64
would make them a third larger: an hour of voice would be 8.6 MB instead of 6.5. Four bytes must be escaped: NUL and CR,
which an HTML parser replaces, `<`, which could end the block, and the escape character itself.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from worker.player.player_files import PACK_PARTS, joined, player_file, words_of

MIME = "text/html; charset=windows-1252"
_ESCAPE = b"="
_ESCAPED = (b"\0", b"\r", b"<")
# Added to an escaped byte; the result never needs an escape itself.
_OFFSET = 0x40
# Bytes escaped at once, which bounds how much of a lesson is in memory.
_PIECE = 1 << 18
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class PackCue:
    """A caption or chapter: seconds and plain text."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class PackCaptions:
    """The captions in one language."""

    language: str
    cues: Sequence[PackCue]


@dataclass(frozen=True)
class PackPicture:
    """A picture, and the times in seconds at which it appears; its number is that of a page."""

    file: Path
    mime: str
    page_number: int
    starts: Sequence[float]


@dataclass(frozen=True)
class PackedLesson:
    """The contents of a pack. `strokes` is a gzipped replay.json; without it, `picture` and `pages` are shown."""

    title: str
    sound: Path | None
    sound_mime: str = ""
    strokes: Path | None = None
    picture: Path | None = None
    picture_mime: str = ""
    pages: Sequence[PackPicture] = ()
    chapters: Sequence[PackCue] = ()
    captions: Sequence[PackCaptions] = ()


def write_pack(lesson: PackedLesson, language: str, file: BinaryIO) -> None:
    """Write the file. Its text is ASCII, and its content policy allows only its own scripts, whatever titles say."""
    script, style = _ascii_script(joined(PACK_PARTS)), player_file("watch.css")
    words = words_of(language)
    parts = {
        "language": language,
        "policy": _policy(script, style),
        "title": html.escape(lesson.title),
        "style": style,
        "noscript": html.escape(words["needsScript"]),
        "player": player_file("player.html"),
        "contents": player_file("contents.html"),
        "script": script,
    }
    # Split first: a title may contain `{blocks}` as well.
    before, after = (
        _PLACE.sub(lambda place: parts.get(place[1], place[0]), part).encode("ascii", "xmlcharrefreplace")
        for part in player_file("pack.html").split("{blocks}")
    )
    file.write(before)
    file.writelines(_blocks(lesson, language, words))
    file.write(after)


def escape_bytes(content: bytes) -> bytes:
    """The bytes as windows-1252 characters that an HTML parser leaves unchanged."""
    content = content.replace(_ESCAPE, _escaped(_ESCAPE))
    for byte in _ESCAPED:
        content = content.replace(byte, _escaped(byte))
    return content


def _escaped(byte: bytes) -> bytes:
    return _ESCAPE + bytes([byte[0] + _OFFSET])


def _blocks(lesson: PackedLesson, language: str, words: dict[str, str]) -> Iterator[bytes]:
    document = {
        "title": lesson.title,
        "language": language,
        "words": words,
        "mime": lesson.sound_mime,
        "picture": lesson.picture_mime,
        "pages": [{"n": page.page_number, "mime": page.mime, "starts": [*page.starts]} for page in lesson.pages],
        "chapters": [asdict(chapter) for chapter in lesson.chapters],
        "captions": [asdict(track) for track in lesson.captions],
    }
    yield from _block("lesson", "application/json", [_json(document)])
    files = {"packedStrokes": lesson.strokes, "packedPicture": lesson.picture, "packedSound": lesson.sound}
    for name, path in (files | {f"packedPage{page.page_number}": page.file for page in lesson.pages}).items():
        if path is not None:
            yield from _block(name, "application/octet-stream", _escaped_file(path))


def _block(name: str, mime: str, content: Iterable[bytes]) -> Iterator[bytes]:
    yield f'<script type="{mime}" id="{name}">'.encode()
    yield from content
    yield b"</script>\n"


def _escaped_file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield escape_bytes(piece)


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).replace("<", "\\u003c").encode("ascii")


def _ascii_script(script: str) -> str:
    return "".join(letter if letter < "\x80" else f"\\u{ord(letter):04x}" for letter in script)


def _policy(script: str, style: str) -> str:
    return (
        f"default-src 'none'; script-src '{_source(script)}'; style-src '{_source(style)}'; "
        "media-src blob:; img-src blob: data:; base-uri 'none'; form-action 'none'"
    )


def _source(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
