"""Parse `multipart/form-data` as it arrives: text fields into memory, the single file directly into the spool.

RFC 7578. The available form parsers first write the file to a temporary directory, without a limit or a digest.
"""

import re
from collections.abc import Callable, Container
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from worker.api.uploads.filenames import filename_of, readable
from worker.errors import InvalidInput
from worker.uploads.spool_writer import SpoolFile, SpoolWriter

_MAX_FIELD_BYTES = 4096
# Limits for what precedes the first boundary, and for parts that are not expected: pictures, tokens.
_MAX_PREAMBLE_BYTES = 65_536
_MAX_IGNORED_BYTES = 16 << 20

Fields = dict[str, str]
# Called when the file begins, with the fields before it: the earliest time to refuse an upload.
OnFile = Callable[[Fields], SpoolWriter]


class FormReader:
    """Parses a form with the text fields `field_names` and exactly one file, in the part `file_field`.

    `feed` it bytes, then `finish`. Fields may precede or follow the file; parts with other names are ignored.
    An error before the file raises. After it the bytes have been received already, so a field that cannot be read, or
    contradicts an earlier one, is put into `ignored` with the reason. `behind` names the fields that followed the file.
    If it is not finished, call `discard`: nothing of the upload is kept.
    """

    def __init__(self, content_type: str, *, file_field: str, field_names: Container[str], on_file: OnFile) -> None:
        self.fields: Fields = {}
        self.behind: set[str] = set()
        self.ignored: dict[str, str] = {}
        self.filename: str | None = None
        self._file_field = file_field
        self._field_names = field_names
        self._on_file = on_file
        self._receiver: SpoolWriter | None = None
        self._in_file = self._in_field = False
        self._complete = False
        self._other_file: str | None = None
        self._ignored = 0
        self._name = ""
        self._value = bytearray()
        self._header = ("", "")
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._disposition = b""
        boundary, self._charset = _options(content_type)
        # None once the first boundary has been found.
        self._preamble: bytearray | None = bytearray()
        # At the beginning of a line; the parser checks how the line ends.
        self._first_boundary = re.compile(rb"(?:^|(?<=\n))--" + re.escape(boundary) + rb"(?=--|[ \t]*\r?\n)")
        self._parser = _parser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": lambda data, start, end: self._header_name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._take,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Parse the next bytes of the body. Raises InvalidInput, and the receiver's errors."""
        chunk = self._after_preamble(chunk)
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise InvalidInput(
                "The body is not valid multipart/form-data: its lines end in CRLF, and each part has headers."
            ) from error

    def finish(self) -> SpoolFile:
        """The file, complete in the spool. Raises InvalidInput when it is missing or the body was truncated."""
        if not self._complete:
            raise InvalidInput("The body ends before its closing boundary: the upload was cut off. Send it again.")
        if self._receiver is None and self._other_file is not None:
            raise InvalidInput(f"Only the field `{self._file_field}` may hold a file, not `{self._other_file[:40]}`.")
        if self._receiver is None:
            raise InvalidInput(f"The form has no file in its field `{self._file_field}`.")
        return self._receiver.seal()

    def discard(self) -> None:
        """Delete what was received so far; does nothing after `finish`."""
        if self._receiver is not None:
            self._receiver.discard()

    def _begin_part(self) -> None:
        self._disposition, self._value = b"", bytearray()
        self._in_file = self._in_field = False

    def _end_header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _end_headers(self) -> None:
        _kind, options = parse_options_header(self._disposition)
        self._name = readable(options.get(b"name", b""), self._charset)
        if self._name != self._file_field:
            self._in_field = self._name in self._field_names
            if not self._in_field and b"filename" in options:
                self._other_file = self._name
            return
        if self._receiver is not None:
            raise InvalidInput("Send one file at a time.")
        self.filename = filename_of(self._disposition, self._charset)
        self._in_file = True
        self._receiver = self._on_file(self.fields)

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._in_file and self._receiver is not None:
            self._receiver.write(data[start:end])
            return
        if not self._in_field:
            self._ignored += end - start
            if self._ignored > _MAX_IGNORED_BYTES:
                raise InvalidInput(f"The field `{self._name[:40]}` is none of an upload, and too large to pass over.")
            return
        self._value += data[start:end]
        if len(self._value) > _MAX_FIELD_BYTES:
            self._wrong(f"The field `{self._name[:40]}` is longer than {_MAX_FIELD_BYTES} bytes.")
            # The rest of the field is ignored.
            self._in_field = False

    def _end_part(self) -> None:
        if not self._in_field:
            return
        value = readable(bytes(self._value), self._charset)
        if self._receiver is not None and self._name not in self.fields:
            self.behind.add(self._name)
        if self.fields.setdefault(self._name, value) != value:
            self._wrong(f"The form has the field `{self._name}` twice, with two values.")

    def _wrong(self, reason: str) -> None:
        """Refuse the form if the file has not begun; otherwise ignore the field."""
        if self._receiver is None:
            raise InvalidInput(reason)
        self.ignored[self._name] = reason

    def _end(self) -> None:
        self._complete = True

    def _after_preamble(self, chunk: bytes) -> bytes:
        """The body from its first boundary on (RFC 2046 §5.1.1: what precedes it is ignored)."""
        if self._preamble is None:
            return chunk
        self._preamble += chunk
        body = bytes(self._preamble)
        match = self._first_boundary.search(body)
        if match:
            self._preamble = None
            return body[match.start() :]
        if len(body) > _MAX_PREAMBLE_BYTES:
            raise InvalidInput("The body is not valid multipart/form-data: the boundary of its header is not in it.")
        return b""


def _options(content_type: str) -> tuple[bytes, str | None]:
    """The boundary, and the charset if it is declared. Raises InvalidInput."""
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise InvalidInput("Send the recording as multipart/form-data with a boundary.")
    charset = options.get(b"charset")
    return options[b"boundary"], charset.decode("latin-1") if charset else None


def _parser(boundary: bytes, callbacks: Any) -> MultipartParser:
    try:
        return MultipartParser(boundary, callbacks)
    except FormParserError as error:
        raise InvalidInput("The boundary of the multipart/form-data is too long.") from error
