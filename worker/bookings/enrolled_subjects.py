"""Parse the subjects of a legacy enrolment: the distinct names, and why other entries are refused."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from worker.errors import InvalidInput

_LONGEST_SUBJECT = 200
_MAX_SUBJECTS = 50
_LONGEST_SHOWN = 40


@dataclass(frozen=True)
class RefusedSubject:
    """An entry that yields no booking (None: the whole row), and why."""

    subject: str | None
    reason: str


def subjects(text: str | None) -> tuple[list[str | None], list[RefusedSubject]]:
    """The distinct names in the list, and the refused entries. With neither, one booking without a subject."""
    names: dict[str, str | None] = {}
    refused = []
    for entry in _listed(text):
        reason = _objection(entry)
        if reason is not None:
            refused.append(RefusedSubject(_named(entry), reason))
        elif name := " ".join(entry.split()):
            names.setdefault(name.casefold(), name)
    if not names and not refused:
        return [None], []
    return list(names.values()), refused


def _listed(text: str | None) -> list[Any]:
    if text is None:
        return []
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("subjects cannot be read.") from error
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise InvalidInput('subjects is not a list of names like ["Math", "Physics"].')
    if len(entries) > _MAX_SUBJECTS:
        raise InvalidInput(f"subjects holds {len(entries)} names; more than {_MAX_SUBJECTS} are no enrollment.")
    return entries


def _objection(entry: Any) -> str | None:
    if not isinstance(entry, str):
        return "a subject is a text"
    if len(entry) > _LONGEST_SUBJECT:
        return f"a subject has at most {_LONGEST_SUBJECT} characters, this one {len(entry)}"
    # json keeps these as escapes, which PostgreSQL's text type cannot hold.
    if any(letter == "\x00" or "\ud800" <= letter <= "\udfff" for letter in entry):
        return "a subject holds no NUL character or half of a character"
    return None


def _named(entry: Any) -> str:
    # Not converted to text: it may be nested a thousand levels deep.
    if isinstance(entry, list | dict):
        return "a list" if isinstance(entry, list) else "an object"
    return shortened(str(entry))


def shortened(text: str, most: int = _LONGEST_SHOWN) -> str:
    """`text` cut to `most` characters, without characters that a terminal or a file cannot show."""
    shown = "".join(_shown(text[:most]))
    return shown if len(text) <= most else f"{shown}…"


def _shown(text: str) -> Iterator[str]:
    for letter in text:
        printable = letter.isprintable() or letter == " "
        yield letter if printable else letter.encode("unicode_escape").decode("ascii")
