"""Other people's words made fit to stand in a subject line, a plain text and a page: one line, bounded, no tricks."""

import re
import unicodedata
from urllib.parse import urlsplit

from worker.calendars.content_lines import uri

# The width of `tutor_schedules.meeting_link`; what is longer is no link of ours.
_LONGEST_LINK = 500
# Shape letters of Persian and Indian scripts and joined emoji. Every other format character is invisible, or turns
# the direction of what follows it.
_JOINERS = "\u200c\u200d"
# "//" with a scheme, and a dot (of any script) right before a letter: what mail programs turn into links themselves.
_SCHEME = re.compile(r"\s*:\s*//+\s*")
_DOT = re.compile(rf"[.\u3002\uff0e\uff61][{_JOINERS}]*(?=[^\W\d_])")
_ELLIPSIS = "…"


def clean(words: str, longest: int, *, defang: bool = True) -> str:
    """`words` as one line of at most `longest` characters, without control, format and direction characters.

    With `defang` no mail program finds an address in them: "evil.com" becomes "evil. com".
    """
    # The rest of a novel is not looked at; twice as much, for what is taken out.
    line = " ".join("".join(map(_visible, words[: 2 * longest])).split())
    if defang:
        line = _DOT.sub(". ", _SCHEME.sub(": ", line))
    return line if len(line) <= longest else line[: longest - 1].rstrip() + _ELLIPSIS


def link(address: str) -> str | None:
    """An http or https address as it may stand in a link; None for every other one, and for those with a password."""
    if len(address) > _LONGEST_LINK:
        return None
    safe = uri(address)
    # https://astegni.et@evil.example leads to evil.example.
    return None if safe is None or "@" in urlsplit(safe).netloc else safe


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace() or category in ("Zl", "Zp", "Cc"):
        return " "
    # Halves of characters (Cs) cannot be encoded; private ones (Co) show anything.
    return "" if category in ("Cf", "Cs", "Co") and character not in _JOINERS else character
