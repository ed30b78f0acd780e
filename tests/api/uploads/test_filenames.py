"""Names of uploaded files: every way in which clients write them, and nothing of them lost."""

from email.header import Header
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from worker.api.uploads.filenames import filename_of, readable

NAMES: dict[str, tuple[bytes, str | None]] = {
    "RFC 7578: UTF-8 as it is": ('filename="ትምህርት 1.webm"'.encode(), "ትምህርት 1.webm"),
    "Latin-1": ('filename="Leçon numéro 1.webm"'.encode("latin-1"), "Leçon numéro 1.webm"),
    "cp1252: quotes and a euro": ('filename="“5 €” été.webm"'.encode("cp1252"), "“5 €” été.webm"),
    "GBK": ('filename="数学课 1.webm"'.encode("gbk"), "数学课 1.webm"),
    "bytes of no charset": (b'filename="a\x81\xff.webm"', "a\x81ÿ.webm".replace("\x81", "")),
    "RFC 5987 alone": (b"filename*=UTF-8''%E1%89%B5%20a.webm", "ት a.webm"),
    "RFC 5987, Latin-1 and a language": (b"filename*=iso-8859-1'fr'Le%E7on.webm", "Leçon.webm"),
    "RFC 5987 of a charset that there is not": (b"filename*=x-none''Le%C3%A7on.webm", "Leçon.webm"),
    "RFC 5987 without its charset": (b"filename*=a%20b.webm", "a b.webm"),
    "RFC 7578 4.2: the plain one counts": (b"filename=\"a.webm\"; filename*=UTF-8''b.webm", "a.webm"),
    "an empty plain one does not": (b"filename=\"\"; filename*=UTF-8''b.webm", "b.webm"),
    "RFC 2231: in parts": (b"filename*0*=UTF-8''%E1%89; filename*1*=%B5%20; filename*2=\"a.webm\"", "ት a.webm"),
    "RFC 2231: in plain parts": (b'filename*0="long "; filename*1="name.webm"', "long name.webm"),
    "RFC 2231: a part is missing": (b"filename*0*=UTF-8''a; filename*2=\"c\"", "a"),
    "RFC 2047: base64": (b'filename="=?UTF-8?B?4Ym14YidLndlYm0=?="', "ትም.webm"),
    "RFC 2047: quoted": (b'filename="=?iso-8859-1?Q?Le=E7on_1.webm?="', "Leçon 1.webm"),
    "RFC 2047: broken": (b'filename="=?UTF-8?B?4?="', "=?UTF-8?B?4?="),
    "WHATWG: a quote and a line end": (b'filename="a %22b%22%0D%0Ac.webm"', 'a "b" c.webm'),
    "percent signs that mean nothing": (b'filename="100%25 of 5%.webm"', "100%25 of 5%.webm"),
    "escaped UTF-8": (b'filename="%E1%89%B5.webm"', "ት.webm"),
    "escaped bytes of no UTF-8": (b'filename="%E1%89.webm"', "%E1%89.webm"),
    "escaped quotes": (rb'filename="a\"b.webm"', 'a"b.webm'),
    "a semicolon": (b'filename="a;b=c.webm"', "a;b=c.webm"),
    "no quotes": (b"filename=a b.webm ; size=3", "a b.webm"),
    "an open quote": (b'filename="a.webm', '"a.webm'),
    "old browsers of Windows": (rb'filename="C:\My lessons\a.webm"', "a.webm"),
    "a share of Windows": (rb'filename="\\host\lessons\a.webm"', "a.webm"),
    "what browsers make of a path": (rb'filename="C:\fakepath\a.webm"', "a.webm"),
    "a folder of Windows, escaped": (rb'filename="C:\\lessons\\a.webm"', "a.webm"),
    "a backslash that is none of a path": (rb'filename="AC\DC.webm"', r"AC\DC.webm"),
    "a path of Unix": (b'filename="../../lessons/a.webm"', "a.webm"),
    "control characters": (b'filename="a\x00b\x07\tc.webm"', "ab c.webm"),
    "half a character in UTF-7": (b"filename*=utf-7''a%2B2AA-.webm", "a.webm"),
    "half a character, escaped": (b"filename*=unicode_escape''%5Cud800a.webm", "a.webm"),
    "nothing else": (b'filename="\x00"', None),
    "a folder": (b'filename="///"', None),
    "empty": (b'filename=""', None),
    "none": (b'name="file"', None),
    "another word": (b'xfilename="b"; filename-old="c"', None),
    "capitals": (b'FileName="a.webm"', "a.webm"),
    "very long": (b'filename="' + b"x" * 3000 + b'"', "x" * 255),
}


@pytest.mark.parametrize("way", NAMES)
def test_a_name_is_read(way: str) -> None:
    parameters, name = NAMES[way]
    assert filename_of(b'form-data; name="file"; ' + parameters) == name
    assert filename_of(b"form-data; " + parameters + b'; name="file"') == name


def test_what_the_request_says_of_its_text_counts() -> None:
    assert filename_of('form-data; filename="Урок.webm"'.encode("cp1251"), "windows-1251") == "Урок.webm"
    assert filename_of('form-data; filename="授業.webm"'.encode("shift_jis"), "Shift_JIS") == "授業.webm"
    assert readable("ñ".encode("latin-1"), "no-such-charset") == "ñ"
    assert readable(b"\xc3\xb1", "latin-1") == "ñ"


# Not what paths and escapes are made of; and no blank at the ends.
LETTERS = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"], exclude_characters='/\\%"=?')
TEXTS = st.lists(st.text(LETTERS, min_size=1, max_size=12), min_size=1, max_size=4).map(" ".join)
WAYS = [
    lambda name: f'filename="{name}"'.encode(),
    lambda name: f"filename*=UTF-8''{quote(name, safe='')}".encode(),
    lambda name: f"filename*0*=utf-8'am'{quote(name[:5], safe='')}; filename*1*={quote(name[5:], safe='')}".encode(),
    lambda name: f'filename="{Header(name, "utf-8", maxlinelen=10_000).encode()}"'.encode(),
]


@settings(max_examples=examples(300), deadline=None)
@given(TEXTS, st.sampled_from(WAYS))
def test_every_name_comes_back_from_every_way(name: str, way: object) -> None:
    assert filename_of(b'form-data; name="file"; ' + way(name)) == name  # type: ignore[operator]


@settings(max_examples=examples(300), deadline=None)
@given(st.text(st.characters(codec="cp1252", categories=["L", "Nd"]), min_size=1, max_size=30))
def test_a_western_name_is_kept_letter_by_letter_or_taken_for_chinese(name: str) -> None:
    filename = filename_of(b'form-data; filename="' + name.encode("cp1252") + b'"')
    assert filename in {
        name,
        name.encode("cp1252").decode("gbk", "replace"),
        name.encode("cp1252").decode("utf-8", "replace"),
    }


def test_a_western_name_is_not_taken_for_control_characters() -> None:
    assert filename_of(b'form-data; filename="\xc2\x8c.webm"') == "ÂŒ.webm"
    assert filename_of(b'form-data; filename="\x93a\x94"', "iso-8859-1") == "“a”"


@settings(max_examples=examples(500), deadline=None)
@given(st.binary(max_size=80), st.none() | st.sampled_from(["utf-7", "idna", "hex", "undefined", "x", "utf-16"]))
def test_no_header_breaks_the_reading(header: bytes, charset: str | None) -> None:
    for disposition in (header, b"form-data; filename=" + header, b"form-data; filename*0*=" + header):
        name = filename_of(disposition, charset)
        assert name is None or (0 < len(name) <= 255 and "\x00" not in name)
