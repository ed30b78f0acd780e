"""Other people's words and links, made fit for what leaves in the platform's name: mail, calendars, webhooks, the app.

Here and nowhere else it is decided what is left of them: no control, format and direction characters, no address that a
program would turn into a link by itself, and of links only https ones, with the host that they lead to.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

# The width of `tutor_schedules.meeting_link`; what is longer is no link of ours.
LONGEST_LINK = 500
# Shape letters of Persian and Indian scripts and joined emoji. Every other format character is invisible, or turns
# the direction of what follows it.
_JOINERS = "\u200c\u200d"
# What some reader takes for the end of a line. Among these are U+0085, U+2028 and U+2029, where Python splits.
_LINE_ENDS = "\n\r\x0b\x0c\x85\u2028\u2029"
# "//" with a scheme, and a dot (of any script) right before a letter: what mail programs turn into links themselves.
_SCHEME = re.compile(r"\s*:\s*//+\s*")
_DOT = re.compile(rf"[.\u3002\uff0e\uff61][{_JOINERS}]*(?=[^\W\d_])")
_ELLIPSIS = "…"
# What a URI may hold (RFC 3986 §2), "%" included: the rest is written as its octets.
_URI = ":/?#[]@!$&'()*+,;=-._~%"
# A name in ASCII and a port. Letters of other scripts look like those of a host that people know.
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True)
class ForeignLink:
    """A link that somebody else wrote, and where it leads: never shown without it."""

    address: str
    host: str


def shown(text: str) -> str:
    """`words` without characters that are not seen, or turn the direction of others; line ends are "\\n"."""
    if text.isprintable():
        return text
    return "".join(map(_shown, text.replace("\r\n", "\n")))


def shown_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """JSON with every text in it as `shown`."""
    return {key: _shown_value(value) for key, value in data.items()}


def clean(text: str, longest: int, *, defang: bool = True) -> str:
    """`words` as one line of at most `longest` characters.

    With `defang` no program finds an address in them: "evil.com" becomes "evil. com".
    """
    # The rest of a novel is not looked at; twice as much, for what is taken out.
    line = " ".join(shown(text[: 2 * longest]).split())
    line = _defanged(line) if defang else line
    return line if len(line) <= longest else line[: longest - 1].rstrip() + _ELLIPSIS


def clean_lines(text: str) -> str:
    """`words` with their lines, and no address that a program would find."""
    return "\n".join(_defanged(line) for line in shown(text).split("\n")).strip()


def foreign_link(address: str) -> ForeignLink | None:
    """An https address, with its host, that may stand in a message; None for every other one.

    Not taken: http, a user or password (https://astegni.et@evil.example leads to evil.example), a host that is no
    name in ASCII, what is too long.
    """
    safe = uri(address) if len(address) <= LONGEST_LINK else None
    if safe is None:
        return None
    parts = urlsplit(safe)
    host = parts.netloc.lower()
    return ForeignLink(safe, host) if parts.scheme == "https" and _HOST.fullmatch(host) else None


# One link stands in all lessons of a series.
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
    # Halves of characters (Cs) cannot be encoded; private ones (Co) show anything.
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
