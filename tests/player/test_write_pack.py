"""Packs: bytes and texts are embedded safely, and an hour is not much larger than its sound."""

import html.parser
import io
import json
import os
import re
import tracemalloc
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from worker.player.player_files import PACK_PARTS, PAGE_PARTS, joined, words_of
from worker.player.write_pack import PackCaptions, PackCue, PackedLesson, PackPicture, escape_bytes, write_pack

_HOSTILE = "</script><script>alert(1)</script>{script}{policy}{blocks}\"'<!--አበበ"


class _Blocks(html.parser.HTMLParser):
    """The content of each block, and how many scripts without an id there are."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: dict[str, str] = {}
        self.scripts = 0
        self._open = ""
        self.feed(page.decode("latin-1"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self._open = dict(attributes).get("id") or ""
            self.scripts += not self._open

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.blocks[self._open] = self.blocks.get(self._open, "") + data


def _bytes_of(block: str) -> bytes:
    content = block.encode("latin-1")
    return re.sub(rb"=(.)", lambda escaped: bytes([escaped[1][0] - 0x40]), content, flags=re.DOTALL)


@given(st.binary(max_size=2000))
def test_every_byte_survives_the_page(content: bytes) -> None:
    assert _bytes_of(escape_bytes(content).decode("latin-1")) == content
    assert not {b"\0", b"\r", b"<"} & {bytes([byte]) for byte in escape_bytes(content)}


def _file(folder: Path, content: bytes, name: str = "sound") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _pack(lesson: PackedLesson, language: str) -> bytes:
    file = io.BytesIO()
    write_pack(lesson, language, file)
    return file.getvalue()


def test_hostile_texts_stay_where_they_are(tmp_path: Path) -> None:
    cues = [PackCue(0, 1, _HOSTILE)]
    sound = _file(tmp_path, b"sound")
    lesson = PackedLesson(_HOSTILE, sound, "audio/webm", chapters=cues, captions=[PackCaptions("am", cues)])
    page = _pack(lesson, "am")
    parsed = _Blocks(page)
    assert parsed.scripts == 1
    document = json.loads(parsed.blocks["lesson"])
    assert (document["title"], document["chapters"][0]["text"]) == (_HOSTILE, _HOSTILE)
    assert document["captions"][0]["cues"][0]["text"] == _HOSTILE
    assert b"script-src 'sha256-" in page.split(b"</head>")[0]


def test_an_hour_of_voice_is_hardly_larger_than_its_sound(tmp_path: Path) -> None:
    content = os.urandom(6_400_000)
    strokes = _file(tmp_path, os.urandom(300_000), "strokes")
    page = _pack(PackedLesson("Fractions", _file(tmp_path, content), "audio/webm", strokes=strokes), "en")
    assert len(page) < 7_000_000
    assert _bytes_of(_Blocks(page).blocks["packedSound"]) == content


def test_a_pack_is_written_piece_by_piece(tmp_path: Path) -> None:
    sound = _file(tmp_path, os.urandom(20_000_000))
    lesson = PackedLesson("Fractions", sound, "audio/webm")
    # The scripts are read once for all packs.
    _pack(replace(lesson, sound=None), "en")
    with (tmp_path / "pack.html").open("wb") as file:
        tracemalloc.start()
        write_pack(lesson, "en", file)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 4_000_000


def test_the_same_lesson_gives_the_same_bytes(tmp_path: Path) -> None:
    lesson = PackedLesson("Fractions", _file(tmp_path, b"sound"), "audio/webm")
    assert _pack(lesson, "en") == _pack(lesson, "en")


def test_pages_have_their_pictures_and_times(tmp_path: Path) -> None:
    pages = [PackPicture(_file(tmp_path, f"page {n}".encode(), f"{n}"), "image/png", n, [n, 9.5]) for n in (1, 2)]
    parsed = _Blocks(_pack(PackedLesson("Fractions", _file(tmp_path, b"sound"), "audio/webm", pages=pages), "en"))
    assert json.loads(parsed.blocks["lesson"])["pages"][1] == {"n": 2, "mime": "image/png", "starts": [2, 9.5]}
    assert _bytes_of(parsed.blocks["packedPage2"]) == b"page 2"


def test_scripts_are_joined_without_comments_and_words_are_whole() -> None:
    for parts in (PAGE_PARTS, PACK_PARTS):
        assert not re.search(r"^ *(//|/\*\*)", joined(parts), re.MULTILINE)
    assert words_of("en")["play"] == "Play"
    assert words_of("am").keys() == words_of("en").keys()
