"""The name of an uploaded file, however its client encodes it. No file is refused because of its name. Pure.

Reads Content-Disposition as browsers write it (WHATWG HTML §4.10.22.8), by RFC 7578, and as in mail: RFC 2047, and
RFC 5987 and 2231 with `filename*`.
"""

import re
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header
from urllib.parse import unquote_to_bytes

_LONGEST = 255
_PARAMETER = re.compile(rb';\s*([^\s=;"]+)\s*=\s*("(?:\\.|[^"\\])*"(?=\s*(?:;|$))|[^;]*)', re.DOTALL)
_PART = re.compile(r"filename\*(\d{1,3})?(\*)?")
_DRIVE = re.compile(r"([A-Za-z]:)?\\")
# And halves of characters, which charsets like UTF-7 can encode and PostgreSQL cannot store.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# No real name has these: its bytes are Western European (cp1252).
_HIGH_CONTROL = re.compile("[\x80-\x9f]")
# The only escapes that browsers write; and non-ASCII characters, which scripts escape.
_ESCAPED = re.compile("%22|%0D%0A|%0D|%0A", re.IGNORECASE)
_ESCAPED_UTF8 = re.compile("(?:%[89A-F][0-9A-F])+", re.IGNORECASE)
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[BbQq]\?[^?]*\?=")
# Chinese characters in GB 2312 are pairs of such bytes; in European texts two high bytes rarely follow each other.
_CHINESE = re.compile(rb"(?:[\xa1-\xa9\xb0-\xf7][\xa1-\xfe]|[\x00-\x7f])+")


def filename_of(disposition: bytes, charset: str | None = None) -> str | None:
    """The file's name in a Content-Disposition header, without folders; None without a name.

    `charset` is the charset that the request declares. If there are both `filename` and `filename*`, the former is used
    (RFC 7578 §4.2).
    """
    plain: bytes | None = None
    extended: dict[int, tuple[bytes, bool]] = {}
    for key, value in _PARAMETER.findall(disposition):
        name = key.decode("latin-1").lower()
        if name == "filename":
            plain = _unquoted(value)
        elif part := _PART.fullmatch(name):
            # `filename*` is always encoded; numbered parts only if their names end in an asterisk.
            extended[int(part[1] or 0)] = (_unquoted(value), bool(part[2]) or part[1] is None)
    name = _plain_name(plain, charset) if plain else ""
    return _without_folders(name) or _without_folders(_extended_name(extended)) or None


def readable(value: bytes, charset: str | None = None) -> str:
    """Decode bytes: as UTF-8, else in the declared charset, else as Chinese or Western European by likelihood."""
    for encoding in ("utf-8", charset, "gbk" if _CHINESE.fullmatch(value) else "cp1252"):
        try:
            return value.decode(encoding) if encoding else value.decode()
        except (UnicodeError, LookupError):
            continue
    return value.decode("latin-1")


def _unquoted(value: bytes) -> bytes:
    value = value.strip()
    if len(value) >= 2 and value[:1] == value[-1:] == b'"':
        return value[1:-1].replace(b"\\\\", b"\\").replace(b'\\"', b'"')
    return value


def _plain_name(value: bytes, charset: str | None) -> str:
    name = readable(value, charset)
    if _HIGH_CONTROL.search(name):
        with suppress(UnicodeError):
            name = value.decode("cp1252")
    if _ENCODED_WORD.search(name):
        name = _decoded_words(name)
    name = _ESCAPED.sub(lambda match: '"' if match[0] == "%22" else " ", name)
    return _ESCAPED_UTF8.sub(_unescaped, name)


def _unescaped(escaped: re.Match[str]) -> str:
    try:
        return unquote_to_bytes(escaped[0]).decode()
    except UnicodeDecodeError:
        return escaped[0]


def _decoded_words(name: str) -> str:
    try:
        return "".join(
            part if isinstance(part, str) else readable(part, charset) for part, charset in decode_header(name)
        )
    except (HeaderParseError, ValueError):
        return name


def _extended_name(parts: dict[int, tuple[bytes, bool]]) -> str:
    """Join the parts in order, up to the first missing one; part 0 names the charset."""
    charset: str | None = None
    value = b""
    for number in range(len(parts)):
        if number not in parts:
            break
        part, is_encoded = parts[number]
        if is_encoded and number == 0 and part.count(b"'") >= 2:
            named, _language, part = part.split(b"'", 2)
            charset = named.decode("latin-1") or None
        value += unquote_to_bytes(part) if is_encoded else part
    if charset:
        try:
            return value.decode(charset)
        except (UnicodeError, LookupError):
            pass
    return readable(value)


def _without_folders(name: str) -> str:
    """The last part of a Unix path, or of a Windows path (old browsers), without characters that no name has."""
    if _DRIVE.match(name):
        name = name.rpartition("\\")[2]
    return _CONTROL.sub("", name.rstrip("/").rpartition("/")[2].replace("\t", " ")).strip()[:_LONGEST]
