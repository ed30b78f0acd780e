"""Bookmarks for a PDF that has none, appended to the file (ISO 32000-1 §7.5.6, §12.3.3).

What is already in the file is not read but for its page tree: to take a document apart and to write it anew takes
longer than to draw it.
"""

from io import SEEK_END
from pathlib import Path
from typing import BinaryIO, cast

from pypdf import PdfReader
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NumberObject,
    PdfObject,
    TextStringObject,
)

_MARK = b"startxref"
# It stands within the last bytes: the word, a number and %%EOF.
_TAIL = 100


def add_bookmarks(path: Path, titles: list[str]) -> None:
    """Let the document's outline name its pages, one title for each; there must be one at least."""
    reader = PdfReader(path)
    root = reader.trailer.raw_get("/Root")
    first = cast("NumberObject", reader.trailer["/Size"])
    outline = IndirectObject(first, 0, reader)
    items = [IndirectObject(first + 1 + number, 0, reader) for number in range(len(titles))]
    catalog = DictionaryObject({**reader.root_object, NameObject("/Outlines"): outline})
    written: dict[IndirectObject, PdfObject] = {root: catalog, outline: _outline(items)}
    for number, (page, title) in enumerate(zip(reader.pages, titles, strict=True)):
        item = _dictionary(Title=TextStringObject(title), Parent=outline, Dest=_whole(page.indirect_reference))
        if number > 0:
            item[NameObject("/Prev")] = items[number - 1]
        if number + 1 < len(items):
            item[NameObject("/Next")] = items[number + 1]
        written[items[number]] = item
    trailer = DictionaryObject({**reader.trailer, NameObject("/Size"): NumberObject(first + 1 + len(items))})
    with path.open("r+b") as file:
        _append(file, written, trailer)


def _outline(items: list[IndirectObject]) -> DictionaryObject:
    return _dictionary(Type=NameObject("/Outlines"), First=items[0], Last=items[-1], Count=NumberObject(len(items)))


def _whole(page: IndirectObject | None) -> ArrayObject:
    """Where a bookmark leads: the page, all of it in the window."""
    if page is None:
        raise RuntimeError("a page of a document that was read from a file has its place in it")
    return ArrayObject([page, NameObject("/Fit")])


def _dictionary(**entries: PdfObject) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{name}"): value for name, value in entries.items()})


def _append(file: BinaryIO, written: dict[IndirectObject, PdfObject], trailer: DictionaryObject) -> None:
    """Write the objects, where they are, and where the list before that is."""
    before = _last_table(file)
    file.seek(0, SEEK_END)
    file.write(b"\n")
    # Object 0, the head of the free ones, comes first: some readers correct the numbers of a table without it.
    table = [b"xref\n0 1\n0000000000 65535 f \n"]
    for reference, value in written.items():
        table.append(b"%d 1\n%010d %05d n \n" % (reference.idnum, file.tell(), reference.generation))
        file.write(b"%d %d obj\n" % (reference.idnum, reference.generation))
        value.write_to_stream(file)
        file.write(b"\nendobj\n")
    start = file.tell()
    file.write(b"".join(table) + b"trailer\n")
    trailer[NameObject("/Prev")] = NumberObject(before)
    trailer.write_to_stream(file)
    file.write(b"\n%s\n%d\n%%%%EOF\n" % (_MARK, start))


def _last_table(file: BinaryIO) -> int:
    size = file.seek(0, SEEK_END)
    file.seek(max(0, size - _TAIL))
    return int(file.read().rpartition(_MARK)[2].split()[0])
