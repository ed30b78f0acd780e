"""Which names of objects are sent to Backblaze B2.

HTTP libraries, proxies and servers normalise the path of an address: `images/./kyc/x` and `images/posts/../kyc/x` may
be served as `images/kyc/x`. A name that can be normalised is not necessarily the name that was checked, so none of them
leaves this process.
"""

import unicodedata
from urllib.parse import unquote

from worker.errors import InvalidInput

# Backblaze's limits, in bytes of UTF-8.
_NAME_BYTES = 1024
_SEGMENT_BYTES = 250
# How much of a refused name an error repeats.
_SHOWN = 80


class InvalidObjectName(InvalidInput):
    """The name could be read as that of another object, or Backblaze does not accept it."""

    code, title = "invalid-object-name", "Invalid object name"


def check_name(name: str) -> str:
    """`name`, when it identifies exactly one object. Raises InvalidObjectName."""
    _check(name, name.split("/"))
    return name


def check_folder(prefix: str) -> str:
    """`prefix`, when it names a complete folder and ends with `/`: `rec/1` would also cover `rec/10`.

    Raises InvalidObjectName.
    """
    if not prefix.endswith("/") or prefix == "/":
        raise InvalidObjectName(f"The prefix {_shown(prefix)} must name a folder and end with '/'.")
    _check(prefix, prefix[:-1].split("/"))
    return prefix


def check_list_prefix(prefix: str) -> str:
    """`prefix`, when names may be listed by it: empty for all, else the beginning of a name that check_name accepts.

    Raises InvalidObjectName.
    """
    if prefix:
        _check(prefix, prefix.removesuffix("/").split("/"))
    return prefix


def is_valid_name(name: str) -> bool:
    """Whether check_name accepts `name`."""
    try:
        check_name(name)
    except InvalidObjectName:
        return False
    return True


def _check(name: str, segments: list[str]) -> None:
    reason = _reason_against(name, segments)
    if reason is not None:
        raise InvalidObjectName(f"The object name {_shown(name)} {reason}.")


def _reason_against(name: str, segments: list[str]) -> str | None:
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        return "contains a control character or half of a surrogate pair"
    if "\\" in name:
        return "contains a backslash"
    if any(segment in {"", ".", ".."} for segment in segments):
        return "has an empty, '.' or '..' segment, or begins with '/'"
    if any(_decodes_to_path(segment) for segment in segments):
        return "has a percent-encoded '/', '\\', '.' or '..' segment, or control character"
    if len(name.encode()) > _NAME_BYTES or any(len(segment.encode()) > _SEGMENT_BYTES for segment in segments):
        return f"is longer than {_NAME_BYTES} bytes, or a segment of it is longer than {_SEGMENT_BYTES}"
    return None


def _decodes_to_path(segment: str) -> bool:
    """Whether percent-decoding, repeated until nothing changes, turns the segment into a path."""
    while (decoded := unquote(segment)) != segment:
        segment = decoded
        if segment in {"", ".", ".."} or "/" in segment or "\\" in segment:
            return True
        if any(unicodedata.category(character) == "Cc" for character in segment):
            return True
    return False


def _shown(name: str) -> str:
    return ascii(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…")
