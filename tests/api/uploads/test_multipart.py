"""The multipart reader: any chunking gives the same form, oddities of RFC 7578 are taken or named, memory is flat."""

import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.examples import examples
from worker.api.uploads.multipart import FormReader
from worker.errors import Forbidden, InvalidInput, TooLarge
from worker.uploads.spool import Spool
from worker.uploads.spool_writer import SpoolFile

TYPE = "multipart/form-data; boundary=b"
FIELDS = ("session_id", "title", "type")
# Whatever looks like the beginning of a boundary, and is none.
TREACHEROUS = b"\r\n--\r\n--\r\n\r\n-\r\n--a\r--b\n--b--\r\n--B\r\n\r\n--"


def part(name: str, value: bytes | str, filename: str | None = None, *, headers: str = "") -> bytes:
    value = value.encode() if isinstance(value, str) else value
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n{headers}\r\n'
    return head.encode() + value + b"\r\n"


END = b"--b--\r\n"


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


class Reading:
    """A reader on a spool, and what was asked of it."""

    def __init__(self, spool: Spool, content_type: str = TYPE, limit: int = 10**9) -> None:
        self.spool = spool
        self.begun_with: dict[str, str] | None = None
        self.limit = limit
        self.reader = FormReader(content_type, file_field="file", field_names=FIELDS, on_file=self._begin)

    def _begin(self, fields: dict[str, str]) -> Any:
        self.begun_with = dict(fields)
        return self.spool.receive(limit=self.limit)

    def take(self, chunks: Iterator[bytes] | list[bytes]) -> SpoolFile:
        try:
            for chunk in chunks:
                self.reader.feed(chunk)
            return self.reader.finish()
        finally:
            self.reader.discard()

    def content(self, file: SpoolFile) -> bytes:
        return self.spool.path(file.name).read_bytes()


def left(spool: Spool) -> list[str]:
    return [path.name for path in spool._folder.iterdir()]


def test_fields_before_and_behind_the_file(spool: Spool) -> None:
    body = part("session_id", "7") + part("file", TREACHEROUS, "a.webm") + part("title", "ክፍል") + END
    reading = Reading(spool)

    file = reading.take([body])

    assert reading.reader.fields == {"session_id": "7", "title": "ክፍል"}
    assert reading.begun_with == {"session_id": "7"}
    assert reading.reader.filename == "a.webm"
    assert reading.content(file) == TREACHEROUS
    assert left(spool) == [file.name]


def test_split_at_every_byte(spool: Spool) -> None:
    body = part("session_id", "7") + part("file", TREACHEROUS, "a.webm") + part("title", "T") + END

    for at in range(len(body) + 1):
        reading = Reading(spool)
        file = reading.take([body[:at], body[at:]])
        assert reading.content(file) == TREACHEROUS
        assert reading.reader.fields == {"session_id": "7", "title": "T"}
        spool.remove(file.name)
    one_by_one = Reading(spool)
    assert one_by_one.content(one_by_one.take([body[at : at + 1] for at in range(len(body))])) == TREACHEROUS


@hypothesis_settings(
    max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=st.lists(
        st.sampled_from([b"\r", b"\n", b"-", b"--", b"b", b"\r\n--b", b"\r\n--", b"\r\n", b"x", bytes(40)]), max_size=30
    ).map(b"".join),
    title=st.text(max_size=40).filter(lambda text: "\r\n--b" not in text),
    cuts=st.lists(st.integers(0, 2000), max_size=12),
)
def test_any_chunking_gives_the_same(spool: Spool, content: bytes, title: str, cuts: list[int]) -> None:
    if b"\r\n--b" in b"\r\n" + content + b"\r\n":
        content = content.replace(b"--b", b"--c")
    body = part("title", title) + part("file", content, "a.webm") + part("type", "video") + END
    edges = [0, *sorted(cut for cut in cuts if cut < len(body)), len(body)]
    reading = Reading(spool)

    file = reading.take([body[start:end] for start, end in pairwise(edges)])

    assert (reading.content(file), file.size) == (content, len(content))
    assert reading.reader.fields == {"title": title, "type": "video"}
    spool.remove(file.name)


@hypothesis_settings(
    max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.lists(
        st.sampled_from(
            [b"--b\r\n", b"--b--", b"\r\n", b"\r\n\r\n", b"--", b":", b";", b"=", b'"', b"\\", b"\x00", b"\xff", b"x",
             b"Content-Disposition: form-data", b'; name="file"', b'; filename="a"', b"; name=file", b"name"]
        ),
        max_size=40,
    ).map(b"".join)
)  # fmt: skip
def test_no_body_breaks_the_reader(spool: Spool, body: bytes) -> None:
    reading = Reading(spool)
    with suppress(InvalidInput):
        spool.remove(reading.take([body]).name)
    assert left(spool) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (part("file", "x", "a")[:-2], "cut off"),
        (part("file", "x", "a"), "cut off"),
        (part("file", "x", "a") + b"--b", "cut off"),
        (part("title", "x") + END, "no file"),
        (part("file", "x", "a") + part("file", "y", "b") + END, "one file"),
        (part("video", "x", "a.webm") + END, "Only the field `file`"),
        (part("title", "x") + part("title", "y") + part("file", "y", "b") + END, "twice"),
        (part("title", "x" * 4097) + END, "longer than 4096"),
        (part("film", "x" * ((16 << 20) + 1), "a") + END, "too large to pass over"),
        (b"GARBAGE" + END, "cut off"),
        (b"x" * 65_537, "boundary of its header"),
        (part("file", "x", "a").replace(b"\r\n", b"\n") + b"--b--\n", "lines end in CRLF"),
    ],
)
def test_what_is_wrong_is_said(spool: Spool, body: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Reading(spool).take([body])

    assert left(spool) == []


def test_what_is_wrong_behind_the_file_is_named_and_the_file_is_kept(spool: Spool) -> None:
    reading = Reading(spool)
    body = part("title", "T") + part("file", "x", "a") + part("title", "U") + part("type", "y" * 5000)
    file = reading.take([body + part("session_id", "7") + END])
    assert reading.content(file) == b"x"
    assert reading.reader.fields == {"title": "T", "session_id": "7"}
    assert reading.reader.behind == {"session_id"}
    assert {name: "twice" in why for name, why in reading.reader.ignored.items()} == {"title": True, "type": False}


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        "multipart/mixed; boundary=b",
        "multipart/form-data; charset=utf-8",
        "multipart/form-data; boundary=" + "b" * 10_000,
    ],
)
def test_another_content_type(spool: Spool, content_type: str) -> None:
    with pytest.raises(InvalidInput):
        Reading(spool, content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/form-data; boundary="b"',
        "Multipart/Form-Data; charset=utf-8; boundary=b",
        "multipart/form-data;boundary=b",
    ],
)
def test_the_same_content_type_otherwise_written(spool: Spool, content_type: str) -> None:
    reading = Reading(spool, content_type)

    assert reading.content(reading.take([part("file", "x", "a") + END])) == b"x"


@pytest.mark.parametrize(
    ("head", "filename"),
    [
        ('form-data; name="file"; filename="a b.webm"', "a b.webm"),
        ('FORM-DATA; filename="a.webm"; name="file"', "a.webm"),
        ("form-data; name=file; filename=a.webm", "a.webm"),
        (r'form-data; name="file"; filename="a\"b.webm"', 'a"b.webm'),
        ('form-data; name="file"; filename="a;b.webm"', "a;b.webm"),
        # RFC 7578 §4.2: the form of RFC 5987 must not be used here.
        ('form-data; name="file"; filename="a.webm"; filename*=UTF-8\'\'b.webm', "a.webm"),
        (r'form-data; name="file"; filename="C:\lessons\a.webm"', "a.webm"),
        ('form-data; name="file"; filename="ትምህርት.webm"', "ትምህርት.webm"),
        ('form-data; name="file"; filename="a\x00.webm"', "a.webm"),
        ("form-data; name=\"file\"; filename*=UTF-8''%E1%89%B5.webm", "ት.webm"),
        ('form-data; name="file"; filename=""', None),
        ('form-data; name="file"', None),
    ],
)
def test_names_of_files(spool: Spool, head: str, filename: str | None) -> None:
    body = f"--b\r\ncontent-disposition: {head}\r\nContent-Type: video/webm\r\n\r\nx\r\n--b--\r\n".encode()
    reading = Reading(spool)

    assert reading.content(reading.take([body])) == b"x"
    assert reading.reader.filename == filename


# RFC 2046 §5.1.1: a preamble and an epilogue.
PREAMBLES = [b"", b"\r\n\r\n", b"A message.\r\n", b"\n--bb\r\n--\r\n", b"--\r--b-\r\n", b"x" * 60_000 + b"\n"]


@pytest.mark.parametrize("preamble", PREAMBLES, ids=range(len(PREAMBLES)))
def test_what_stands_around_the_parts_is_not_read(spool: Spool, preamble: bytes) -> None:
    body = preamble + part("title", "T") + part("file", TREACHEROUS, "a") + END + b"epilogue\r\n--b\r\n"
    step = max(1, len(body) // 200)
    for chunks in ([body], [body[at : at + step] for at in range(0, len(body), step)]):
        reading = Reading(spool)
        file = reading.take(chunks)
        assert reading.content(file) == TREACHEROUS
        assert reading.reader.fields == {"title": "T"}
        spool.remove(file.name)


def test_fields_that_nobody_asked_for_keep_out_no_file(spool: Spool) -> None:
    others = (
        part("name", "lesson.webm")
        + part("relativePath", "null")
        + part("name", "another")
        + part("thumbnail", bytes(100_000), "t.png")
        + part("token", "x" * 10_000)
        + b"".join(part(f"f{number}", b"\xff") for number in range(50))
        + b'--b\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nx\r\n'
        + b"--b\r\n\r\nno name\r\n"
    )
    for body in (others + part("file", "x", "a"), part("file", "x", "a") + others):
        reading = Reading(spool)
        file = reading.take([part("title", "T") + body + part("title", "T") + END])
        assert reading.content(file) == b"x"
        assert reading.reader.fields == {"title": "T"}
        spool.remove(file.name)


def test_text_of_other_charsets_is_taken(spool: Spool) -> None:
    body = part("title", "Leçon".encode("latin-1")) + b'--b\r\nContent-Disposition: form-data; name="file"; filename="'
    reading = Reading(spool)
    reading.take([body + "été.webm".encode("cp1252") + b'"\r\n\r\nx\r\n' + END])
    assert (reading.reader.fields["title"], reading.reader.filename) == ("Leçon", "été.webm")
    reading = Reading(spool, "multipart/form-data; charset=windows-1251; boundary=b")
    reading.take([part("title", "Урок".encode("cp1251")) + part("file", "x", "a") + END])
    assert reading.reader.fields["title"] == "Урок"


def test_a_text_may_come_as_a_blob(spool: Spool) -> None:
    reading = Reading(spool)
    reading.take([part("title", "T", "blob") + part("file", "x", "a") + END])
    assert reading.reader.fields == {"title": "T"}


def test_headers_of_a_part_that_say_nothing_to_us(spool: Spool) -> None:
    reading = Reading(spool)
    headers = "Content-Type: video/webm; codecs=vp9\r\nContent-Length: 12\r\nX-Anything: b\r\n"

    assert reading.content(reading.take([part("file", "x", "a", headers=headers) + END])) == b"x"


def test_an_empty_file_is_a_file(spool: Spool) -> None:
    assert Reading(spool).take([part("file", "", "a") + END]).size == 0


def test_errors_of_the_spool_go_on_to_the_caller(spool: Spool) -> None:
    with pytest.raises(TooLarge):
        Reading(spool, limit=10).take([part("file", "x" * 11, "a") + END])

    def refuse(_fields: dict[str, str]) -> Any:
        raise Forbidden("Not yours.")

    reader = FormReader(TYPE, file_field="file", field_names=FIELDS, on_file=refuse)
    with pytest.raises(Forbidden):
        reader.feed(part("file", "x", "a"))
    reader.discard()
    assert left(spool) == []


def test_memory_stays_flat(spool: Spool) -> None:
    chunk = bytes(1 << 20)

    def chunks(count: int) -> Iterator[bytes]:
        yield part("file", "", "a")[:-2]
        yield from (chunk for _ in range(count))
        yield b"\r\n" + END

    tracemalloc.start()
    try:
        file = Reading(spool).take(chunks(64))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert file.size == 64 << 20
    assert peak < 8 << 20
