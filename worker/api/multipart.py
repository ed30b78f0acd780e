"""Read `multipart/form-data` as it comes: text fields into memory, the one file straight into the spool.

RFC 7578. The ready-made form parsers write the file to a temporary directory first, without a limit and a digest.
"""

from collections.abc import Callable
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from worker.errors import InvalidInput
from worker.uploads.spool import Receiver, SpoolFile

_MAX_FIELDS = 16
_MAX_FIELD_BYTES = 4096

Fields = dict[str, str]
# Called when the file begins, with the fields before it: the earliest moment to refuse an upload.
OnFile = Callable[[Fields], Receiver]


class FormReader:
    """A form with text `fields` and exactly one file, in the part `file_field`. `feed` it bytes, then `finish`.

    Fields may stand before and behind the file. Leaving it unfinished: call `discard`, and nothing stays behind.
    """

    def __init__(self, content_type: str, *, file_field: str, on_file: OnFile) -> None:
        self.fields: Fields = {}
        self.filename: str | None = None
        self._file_field = file_field
        self._on_file = on_file
        self._receiver: Receiver | None = None
        self._in_file = False
        self._complete = False
        self._name = ""
        self._value = bytearray()
        self._header = ("", "")
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._disposition = b""
        self._parser = _parser(
            content_type,
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
        """Take the next bytes of the body. Raises InvalidInput, and what the receiver raises."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise InvalidInput("The body is not valid multipart/form-data.") from error

    def finish(self) -> SpoolFile:
        """The file, sealed in the spool. Raises InvalidInput when it is missing or the body broke off."""
        if not self._complete:
            raise InvalidInput("The body ends before its closing boundary: the upload was cut off. Send it again.")
        if self._receiver is None:
            raise InvalidInput(f"The form has no file in its field `{self._file_field}`.")
        return self._receiver.seal()

    def discard(self) -> None:
        """Drop what came so far; after `finish` this does nothing."""
        if self._receiver is not None:
            self._receiver.discard()

    def _begin_part(self) -> None:
        self._disposition, self._value, self._in_file = b"", bytearray(), False

    def _end_header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _end_headers(self) -> None:
        _kind, options = parse_options_header(self._disposition)
        self._name = _text(options.get(b"name", b""), "A part's name")
        filename = options.get(b"filename")
        if self._name != self._file_field:
            if filename is not None:
                raise InvalidInput(f"Only the field `{self._file_field}` may hold a file.")
            if len(self.fields) >= _MAX_FIELDS or self._name in self.fields:
                raise InvalidInput(f"The form has too many fields, or `{self._name[:40]}` twice.")
            return
        if self._receiver is not None:
            raise InvalidInput("Send one file at a time.")
        # PostgreSQL's text holds no NUL, and a name is not worth refusing a lesson.
        self.filename = _text(filename, "The file's name").replace("\x00", "")[:255] if filename else None
        self._in_file = True
        self._receiver = self._on_file(self.fields)

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._in_file and self._receiver is not None:
            self._receiver.write(data[start:end])
            return
        self._value += data[start:end]
        if len(self._value) > _MAX_FIELD_BYTES:
            raise InvalidInput(f"The field `{self._name[:40]}` is longer than {_MAX_FIELD_BYTES} bytes.")

    def _end_part(self) -> None:
        if not self._in_file:
            self.fields[self._name] = _text(bytes(self._value), f"The field `{self._name[:40]}`")

    def _end(self) -> None:
        self._complete = True


def _parser(content_type: str, callbacks: Any) -> MultipartParser:
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise InvalidInput("Send the recording as multipart/form-data with a boundary.")
    try:
        return MultipartParser(options[b"boundary"], callbacks)
    except FormParserError as error:
        raise InvalidInput("The boundary of the multipart/form-data is too long.") from error


def _text(value: bytes, what: str) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{what} is not UTF-8.") from error
