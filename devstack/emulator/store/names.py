"""Valid names of buckets, files and file infos, and their encoding in headers and URLs."""

import re
from urllib.parse import quote, unquote_to_bytes

from devstack.emulator.errors import bad_request

_BUCKET = re.compile(r"[A-Za-z0-9-]{6,63}")
_INFO = re.compile(r"[A-Za-z0-9_.`~!#$%^&*'|+-]{1,50}")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_MAX_INFOS = 10
_MAX_INFO_BYTES = 7000


def decode(text: str) -> str:
    """Percent-decoded UTF-8, where `+` stands for a space (Backblaze: string encoding)."""
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeError:
        raise bad_request("A percent-encoded value is not valid UTF-8.") from None


def encode(text: str) -> str:
    """Percent-encoded UTF-8 that keeps `/`."""
    return quote(text, safe="/")


def check_bucket_name(name: str) -> str:
    """`name`, if it is valid for a bucket (Backblaze: buckets)."""
    if not _BUCKET.fullmatch(name) or name.lower().startswith("b2-"):
        raise bad_request("A bucket name has 6 to 63 letters, digits and hyphens, and does not start with 'b2-'.")
    return name


def check_file_name(name: str) -> str:
    """`name`, if it is valid for a file (Backblaze: files)."""
    if not 1 <= len(name.encode()) <= 1024:
        raise bad_request("A file name has 1 to 1024 bytes.")
    if any(ord(character) < 32 or character == "\x7f" for character in name):
        raise bad_request("A file name must not contain control characters.")
    if name.startswith("/") or name.endswith("/") or "//" in name:
        raise bad_request("A file name must not start or end with '/', or contain '//'.")
    if any(len(segment.encode()) > 250 for segment in name.split("/")):
        raise bad_request("Each segment of a file name has at most 250 bytes.")
    return name


def check_file_info(info: dict[str, str]) -> dict[str, str]:
    """`info` with lower-case names, if it is valid: at most 10 entries and 7000 bytes, all valid as headers."""
    if len(info) > _MAX_INFOS:
        raise bad_request(f"A file has at most {_MAX_INFOS} file info entries.")
    for name, value in info.items():
        if not _INFO.fullmatch(name):
            raise bad_request(f"file info name {name!r} is not valid")
        # b2-content-type and the like are response headers later, unchanged.
        if name.lower().startswith("b2-"):
            check_header_value(name, value)
    if sum(len(name) + len(encode(value)) for name, value in info.items()) > _MAX_INFO_BYTES:
        raise bad_request(f"The file info is longer than {_MAX_INFO_BYTES} bytes.")
    return {name.lower(): value for name, value in info.items()}


def check_header_value(name: str, value: str) -> str:
    """`value`, if it is valid as an HTTP header: a line break would inject another header."""
    if not _PRINTABLE.fullmatch(value):
        raise bad_request(f"{name} must be printable ASCII")
    return value
