"""Files of captions as programs and attackers write them: what is kept of each, and why the rest is not."""

import codecs
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.media.captions.cue import Captions, CaptionsRejected, Cue
from worker.media.captions.read_captions import LONGEST_CUE, MAX_CUES, read_captions
from worker.media.captions.write_webvtt import write_webvtt

WEBVTT = """WEBVTT - Fractions
Kind: captions
Language: am

NOTE made by hand
--

1
00:01.000 --> 00:02.500 line:0 align:start
ሰላም ተማሪዎች

second
00:00:03.000 --> 00:00:04.000
<v Liya>A &lt; B &amp; <i>C</i>
and <00:00:03.500>more
"""
SRT = "1\n00:00:01,000 --> 00:00:02,500\nሰላም ተማሪዎች\n\n2\n00:00:03,000 --> 00:00:04,000\nA < B & <i>C</i>\n"


def read(text: str, *, duration_ms: int | None = None) -> Captions:
    return read_captions(text.encode(), duration_ms=duration_ms)


def texts(text: str) -> list[str]:
    return [cue.text for cue in read(text).cues]


def of(timing: str, text: str = "x") -> Captions:
    """The captions of a file with one good caption behind the given one."""
    return read(f"WEBVTT\n\n{timing}\n{text}\n\n10:00.000 --> 10:01.000\nlast\n", duration_ms=3_600_000)


def test_webvtt_is_read_as_plain_text() -> None:
    captions = read(WEBVTT)
    assert captions.cues == (
        Cue(1000, 2500, "ሰላም ተማሪዎች", "line:0 align:start"),
        Cue(3000, 4000, "Liya: A < B & C\nand more"),
    )
    assert captions.rejected == ()


def test_srt_is_read_as_plain_text() -> None:
    captions = read(SRT)
    assert captions.cues == (Cue(1000, 2500, "ሰላም ተማሪዎች"), Cue(3000, 4000, "A < B & C"))
    assert captions.rejected == ()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
@pytest.mark.parametrize("file", [WEBVTT, SRT])
def test_line_ends_and_encodings_change_nothing(file: str, mark: bytes, encoding: str, end: str) -> None:
    content = mark + file.replace("\n", end).encode(encoding)
    assert read_captions(content, duration_ms=None) == read(file)


@pytest.mark.parametrize(
    "content",
    [
        SRT.replace("ሰላም", "é").encode("latin-1", "replace"),
        "\u1230".encode("utf-16-le") + SRT.encode("utf-16-le"),
        codecs.BOM_UTF32_LE + SRT.encode("utf-32-le"),
        SRT.encode() + b"\0",
        b"\x1aE\xdf\xa3" + bytes(range(256)),
        codecs.BOM_UTF16_LE + b"\x00\xd8",
    ],
    ids=["latin-1", "UTF-16 without a mark", "UTF-32", "NUL", "a film", "half of a character"],
)
def test_other_encodings_are_refused_with_a_remedy(content: bytes) -> None:
    with pytest.raises(CaptionsRejected, match="save it with the encoding UTF-8"):
        read_captions(content, duration_ms=None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[00:12.00]A line of LRC",
        "0:00:01.000,0:00:02.000\nSBV",
        "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,ASS",
        "<tt><body><div><p begin='1s' end='2s'>TTML</p></div></body></tt>",
        "<html><script>alert(1)</script></html>",
        "WEBVTTX\n\nno header",
        " WEBVTT",
    ],
)
def test_what_is_neither_webvtt_nor_srt_is_refused(text: str) -> None:
    with pytest.raises(CaptionsRejected, match="neither WebVTT"):
        read(text)


@pytest.mark.parametrize("text", ["WEBVTT", "WEBVTT\n\nNOTE nothing\n", "WEBVTT\n\n00:02.000 --> 00:01.000\nx\n"])
def test_a_file_without_a_caption_is_refused(text: str) -> None:
    with pytest.raises(CaptionsRejected, match="no caption"):
        read(text)


def test_a_refused_file_says_what_is_wrong_with_its_captions() -> None:
    with pytest.raises(CaptionsRejected) as raised:
        read("WEBVTT\n\n00:02.000 --> 00:01.000\nx\n\n00:xx --> 00:01.000\ny\n")
    assert raised.value.problem()["left_out"] == [
        {"line": 3, "reason": "it ends before it begins"},
        {"line": 6, "reason": "its times cannot be read"},
    ]


@pytest.mark.parametrize(
    ("timing", "reason"),
    [
        ("-00:01.000 --> 00:02.000", "its times cannot be read"),
        ("00:01.000 --> -00:02.000", "its times cannot be read"),
        ("00:61.000 --> 00:62.000", "its times cannot be read"),
        ("00:01.0000 --> 00:02.000", "its times cannot be read"),
        ("00:01.000 -> 00:02.000", "it has no times"),
        ("--> 00:02.000", "its times cannot be read"),
        ("00:01.000 -->", "its times cannot be read"),
        ("-->", "its times cannot be read"),
        ("99999:00:01.000 --> 99999:00:02.000", "its times cannot be read"),
        ("\u0660\u0660:01.000 --> 00:02.000", "its times cannot be read"),
        ("00:01.000 --> 00:02.000" + " " * 600, "its times cannot be read"),
        ("00:02.000 --> 00:02.000", "it ends before it begins"),
        ("00:02.000 --> 00:01.000", "it ends before it begins"),
        ("2:00:00.000 --> 2:00:01.000", "it begins after the end of the recording"),
        ("1:00:00.000 --> 1:00:01.000", "it begins after the end of the recording"),
    ],
)
def test_a_caption_with_wrong_times_is_left_out_and_named(timing: str, reason: str) -> None:
    captions = of(timing)
    assert [cue.text for cue in captions.cues] == ["last"]
    assert [(cue.line, cue.reason) for cue in captions.rejected] == [(3, reason)]


@pytest.mark.parametrize(
    ("timing", "times"),
    [
        ("00:01.000 --> 00:02.000", (1000, 2000)),
        ("00:00:01,000 --> 00:00:02,000", (1000, 2000)),
        ("0:0:1,5 --> 0:0:2,25", (1500, 2250)),
        ("00:00:01 --> 00:00:02", (1000, 2000)),
        ("\t00:01.000-->00:02.000  ", (1000, 2000)),
        ("00:00:01,000 --> 00:00:02,000 X1:100 X2:200 Y1:100 Y2:200", (1000, 2000)),
        ("59:59.000 --> 1:00:30.000", (3_599_000, 3_600_000)),
    ],
)
def test_times_are_read_in_every_spelling_and_end_with_the_recording(timing: str, times: tuple[int, int]) -> None:
    captions = of(timing)
    assert times in [(cue.start_ms, cue.end_ms) for cue in captions.cues]
    assert captions.rejected == ()


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ("align:start position:10%,line-left size:35% line:-1 vertical:rl", True),
        ("line:50%,center position:12.5% align:center", True),
        ("region:fred", False),
        ("style:color:red", False),
        ("line:0;background:url(//evil)", False),
        ("position:1e9%", False),
        ("align:</script>", False),
    ],
)
def test_only_settings_of_the_standard_are_kept(settings: str, kept: bool) -> None:
    (cue, _last) = of(f"00:01.000 --> 00:02.000 {settings}").cues
    assert cue.settings == (settings if kept else "")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<script>alert(1)</script>", "alert(1)"),
        ("<img src=x onerror=alert(1)>", None),
        ("<b>bold</b> <c.red.bg_blue>colour</c> <lang en>x</lang> <ruby>a<rt>b</rt></ruby>", "bold colour x ab"),
        ("<v.first.loud Esme>Hello", "Esme: Hello"),
        ("&lt;b&gt;&nbsp;&amp;&#60;", "<b> &<"),
        ("1 < 2", "1 < 2"),
        ("a < b > c", "a c"),
        ("\u202egnihtyna\u202c\u2066\u200b", "gnihtyna"),
        ("&#x202e;x&#0;", "x\ufffd"),
        (f"&#{'9' * 5000};x&#1114112;", "\ufffdx\ufffd"),
        ("<v  Esme >Hello", "Esme : Hello"),
        ("tab\tand  blanks", "tab and blanks"),
        ("\x1b[31mred\x07", "[31mred"),
        ("🙂 e\u0301", "🙂 e\u0301"),
    ],
)
def test_text_is_plain_and_visible(text: str, plain: str | None) -> None:
    assert [cue.text for cue in of("00:01.000 --> 00:02.000", text).cues] == ([plain] if plain else []) + ["last"]


def test_an_open_tag_and_a_million_blanks_are_text() -> None:
    """Each end of the blanks was tried with each beginning of a name, which would have taken hours."""
    assert [cue.text for cue in of("00:01.000 --> 00:02.000", f"<v{' ' * 1_000_000}x").cues] == ["<v x", "last"]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<font color='red' face=\"x\">a</font>", "a"),
        ("{\\an8}top {\\pos(1,2)}{b}x{/b}", "top x"),
        ("<I>i</I> <u>u</u> <s>s</s>", "i u s"),
        ("x <- y -> z <3 &amp;", "x <- y -> z <3 &amp;"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_in_srt_only_its_own_tags_are_tags(text: str, plain: str) -> None:
    assert texts(f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n") == [plain]


def test_styles_and_regions_are_left_out_and_named() -> None:
    captions = read(
        "WEBVTT\n\nSTYLE\n::cue { background: url(//evil) }\n\nREGION\nid:fred\n\nNOTE\nx\n\n"
        "00:01.000 --> 00:02.000\ny\n"
    )
    assert [(cue.line, cue.reason) for cue in captions.rejected] == [
        (3, "styles are not kept"),
        (6, "regions are not kept"),
    ]
    assert b"evil" not in write_webvtt(captions.cues)


def test_captions_are_put_in_order_may_overlap_and_are_kept_once() -> None:
    captions = read(
        "WEBVTT\n\n00:03.000 --> 00:09.000\nb\n\n00:01.000 --> 00:05.000\na\n\n"
        "00:03.000 --> 00:09.000\nb\n\n00:03.000 --> 00:04.000\nc\n"
    )
    assert [(cue.start_ms, cue.end_ms, cue.text) for cue in captions.cues] == [
        (1000, 5000, "a"),
        (3000, 4000, "c"),
        (3000, 9000, "b"),
    ]


def test_missing_blank_lines_and_text_between_captions() -> None:
    captions = read(
        "1\n00:00:01,000 --> 00:00:02,000\nfirst\n2\n00:00:03,000 --> 00:00:04,000\nsecond\n\nlost\n\n\n\n"
        "3\n00:00:05,000 --> 00:00:06,000\n42\n"
    )
    assert [cue.text for cue in captions.cues] == ["first", "second", "42"]
    assert [(cue.line, cue.reason) for cue in captions.rejected] == [(8, "it has no times")]


def test_long_texts_are_left_out() -> None:
    assert of("00:01.000 --> 00:02.000", "x" * LONGEST_CUE).rejected == ()
    (rejected,) = of("00:01.000 --> 00:02.000", "x" * (LONGEST_CUE + 1)).rejected
    assert rejected.reason == "its text is longer than 1000 characters"


def test_too_many_captions_are_refused() -> None:
    cue = "00:01.000 --> 00:02.000\n{}\n\n"
    most = "WEBVTT\n\n" + "".join(cue.format(number) for number in range(MAX_CUES))
    assert len(read(most).cues) == MAX_CUES
    with pytest.raises(CaptionsRejected, match="more than 20000 captions"):
        read(most + cue)


_PIECES = st.sampled_from(
    [
        *("WEBVTT", "STYLE", "NOTE", "1", "\n", "\r\n", "\n\n", "-->", " line:0"),
        *("00:01.000 --> 00:02.000", "00:00:03,5 --> 00:00:04"),
        *("<", ">", "<v x>", "&lt;", "&amp", "{\\an8}", "ሰላም", "\u202e", "x" * 50),
    ]
)


@given(st.lists(_PIECES, max_size=30).map("".join), st.none() | st.integers(1, 5000))
def test_what_is_kept_is_written_and_read_again_as_the_same(text: str, duration_ms: int | None) -> None:
    try:
        captions = read(text, duration_ms=duration_ms)
    except CaptionsRejected:
        return
    written = write_webvtt(captions.cues)
    again = read_captions(written, duration_ms=duration_ms)
    assert (again.cues, again.rejected) == (captions.cues, ())
    assert not re.search(rb"<|>(?<!-->)", written.replace(b" --> ", b" "))
