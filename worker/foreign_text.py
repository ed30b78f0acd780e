"""Sanitise users' texts and links before they are sent in the platform's name: mail, calendars, webhooks, the app.

The rules are defined only here: no control, format or direction characters, no address that a program would turn into a
link by itself, and only https links, shown with the host that they lead to.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

# The width of `tutor_schedules.meeting_link`: a longer link cannot come from there.
LONGEST_LINK = 500
# Needed by Persian and Indian scripts and by joined emoji. All other format characters are invisible, or change the
# direction of the text after them.
_JOINERS = "\u200c\u200d"
# Everything that some program treats as the end of a line, including U+0085, U+2028 and U+2029, where Python splits.
_LINE_ENDS = "\n\r\x0b\x0c\x85\u2028\u2029"
# A scheme with "//", and a dot (of any script) directly before a letter: mail programs turn these into links. Neither
# begins with blanks: tried from each of the ten thousand blanks of a note, that took a tenth of a second per lesson.
_SCHEME = re.compile(r":\s*//+\s*")
_DOT = re.compile(rf"[.\u3002\uff0e\uff61][{_JOINERS}]*(?=[^\W\d_])")
_ELLIPSIS = "…"
# The characters that a URI may contain (RFC 3986 §2), "%" included; all others are percent-encoded.
_URI = ":/?#[]@!$&'()*+,;=-._~%"
# An ASCII name and a port: letters of other scripts can imitate a well-known host.
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True)
class ForeignLink:
    """A link that a user wrote, and the host it leads to, which is always shown with it."""

    address: str
    host: str


def shown(text: str) -> str:
    """`text` without characters that are invisible or change the direction of others; line ends become "\\n"."""
    if text.isprintable():
        return text
    return "".join(map(_shown, text.replace("\r\n", "\n")))


def shown_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """JSON with `shown` applied to every text in it."""
    return {key: _shown_value(value) for key, value in data.items()}


def clean(text: str, longest: int, *, defang: bool = True) -> str:
    """`text` as one line of at most `longest` characters.

    With `defang` no program recognises an address in it: "evil.com" becomes "evil. com".
    """
    # Only the start of a very long text is processed; twice the length allows for what is removed.
    line = " ".join(shown(text[: 2 * longest]).split())
    line = _defanged(line) if defang else line
    return line if len(line) <= longest else line[: longest - 1].rstrip() + _ELLIPSIS


def clean_lines(text: str) -> str:
    """`text` with its line breaks, but without any address that a program would recognise."""
    return "\n".join(_defanged(line) for line in shown(text).split("\n")).strip()


def foreign_link(address: str) -> ForeignLink | None:
    """An https address that may be put into a message, with its host; None for any other address.

    Rejected: http, a user or password (https://astegni.et@evil.example leads to evil.example), a host that is not an
    ASCII name, and an address that is too long.
    """
    safe = uri(address) if len(address) <= LONGEST_LINK else None
    if safe is None:
        return None
    parts = urlsplit(safe)
    host = parts.netloc.lower()
    return ForeignLink(safe, host) if parts.scheme == "https" and _HOST.fullmatch(host) else None


# Cached: all lessons of a series have the same link.
@lru_cache(maxsize=1024)
def uri(value: str) -> str | None:
    """An http or https address as a URI; None for everything else."""
    address = value.strip()
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or " " in address or not address.isprintable():
        return None
    return quote(address, safe=_URI)


def _shown(character: str) -> str:
    if character in _LINE_ENDS:
        return "\n"
    if character.isspace():
        return " "
    # Surrogates (Cs) cannot be encoded; private-use characters (Co) may look like anything.
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co")
    return "" if hidden and character not in _JOINERS else character


def _shown_value(value: Any) -> Any:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return shown_values(value)
    return [_shown_value(item) for item in value] if isinstance(value, Sequence) else value


def _defanged(line: str) -> str:
    return _DOT.sub(". ", _SCHEME.sub(": ", line))
