"""Packs: bytes survive the page, texts cannot leave their place, and an hour is not much larger than its sound."""

import html.parser
import json
import os
import re

from hypothesis import given
from hypothesis import strategies as st

from worker.player.player_files import PACK_PARTS, PAGE_PARTS, joined, words_of
from worker.player.write_pack import PackCaptions, PackCue, PackedLesson, escape_bytes, write_pack

_HOSTILE = "</script><script>alert(1)</script>{script}{policy}\"'<!--አበበ"


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


def test_hostile_texts_stay_where_they_are() -> None:
    cues = [PackCue(0, 1, _HOSTILE)]
    lesson = PackedLesson(_HOSTILE, b"sound", "audio/webm", chapters=cues, captions=[PackCaptions("am", cues)])
    page = write_pack(lesson, "am")
    parsed = _Blocks(page)
    assert parsed.scripts == 1
    document = json.loads(parsed.blocks["lesson"])
    assert (document["title"], document["chapters"][0]["text"]) == (_HOSTILE, _HOSTILE)
    assert document["captions"][0]["cues"][0]["text"] == _HOSTILE
    assert b"script-src 'sha256-" in page.split(b"</head>")[0]


def test_an_hour_of_voice_is_hardly_larger_than_its_sound() -> None:
    sound = os.urandom(6_400_000)
    page = write_pack(PackedLesson("Fractions", sound, "audio/webm", strokes=os.urandom(300_000)), "en")
    assert len(page) < 7_000_000
    assert _bytes_of(_Blocks(page).blocks["packedSound"]) == sound


def test_the_same_lesson_gives_the_same_bytes() -> None:
    lesson = PackedLesson("Fractions", b"sound", "audio/webm")
    assert write_pack(lesson, "en") == write_pack(lesson, "en")


def test_scripts_are_joined_without_comments_and_words_are_whole() -> None:
    for parts in (PAGE_PARTS, PACK_PARTS):
        assert not re.search(r"^ *(//|/\*\*)", joined(parts), re.MULTILINE)
    assert words_of("en")["play"] == "Play"
    assert words_of("am").keys() == words_of("en").keys()
