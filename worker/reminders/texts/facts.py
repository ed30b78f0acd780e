"""Convert the data of a message to the values of its templates: sanitised text, links, and times for the reader."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from jinja2 import TemplateError

from worker.errors import InvalidInput
from worker.foreign_text import LONGEST_LINK, clean, foreign_link, uri
from worker.reminders.texts import amharic, english
from worker.reminders.texts.data import DATA
from worker.reminders.texts.moments import moment_text
from worker.reminders.texts.recipient import Language, Recipient
from worker.reminders.texts.spans import about, exactly
from worker.reminders.texts.words import Words

LONGEST_NAME = 80
# Maximum lengths of user text. Longer text is unreadable in a message, and would not fit a subject line.
_LONGEST = {
    "tutor": LONGEST_NAME, "requester": LONGEST_NAME, "student": LONGEST_NAME, "by": LONGEST_NAME, "subject": 100,
    "package_name": 100, "title": 120, "location": 200, "reason": 400,
    "message": 1000,
}  # fmt: skip
# Our own text; an address must keep its dots.
_OURS = {"code": 20, "label": 100}
# Addresses of the operator's settings.
_LINKS = ("board_link", "link")
_INSTANTS = ("starts_at", "before_starts_at", "recorded_at")
_MAX_NAMES = 3


_WORDS: Mapping[Language, Words] = {"en": english, "am": amharic}


class InvalidMessageData(InvalidInput):
    """The data of a message are incomplete or invalid: no later attempt can fix it."""

    code, title = "untellable", "Message without its facts"


def facts(kind: str, data: Mapping[str, Any], reader: Recipient) -> dict[str, Any]:
    """The values that the templates of `kind` may use: every key of its data (optional ones None), and derived values.

    Raises InvalidMessageData for an unknown kind, a missing key, or an invalid instant.
    """
    with checked_data(kind):
        return _values_for(_fields_of(kind, data), reader)


@contextmanager
def checked_data(kind: str) -> Iterator[None]:
    """Convert errors from values of the wrong type or range to InvalidMessageData, without repeating those values."""
    try:
        yield
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError, TemplateError) as error:
        raise InvalidMessageData(f"A {kind} cannot be said: {type(error).__name__} in its data or template.") from error


def instant(value: str) -> datetime:
    """Parse an aware instant. Raises ValueError for one without an offset."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return moment


def _fields_of(kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    fields = DATA.get(kind)
    if fields is None:
        raise InvalidMessageData(f"There is no message {kind!r}.")
    missing = fields.__required_keys__ - data.keys()
    if missing:
        raise InvalidMessageData(f"A {kind} needs {', '.join(sorted(missing))}.")
    return {key: data.get(key) for key in (*fields.__required_keys__, *fields.__optional_keys__)}


def _values_for(known: dict[str, Any], reader: Recipient) -> dict[str, Any]:
    words = _WORDS[reader.language]
    values = known | {
        "language": reader.language,
        "reader": clean(reader.name, LONGEST_NAME),
    }
    for key, value in known.items():
        if value is None:
            continue
        if key in _LONGEST:
            values[key] = clean(value, _LONGEST[key])
        elif key in _OURS:
            values[key] = clean(value, _OURS[key], defang=False)
        elif key in _LINKS:
            values[key] = uri(value) if len(value) <= LONGEST_LINK else None
        elif key in _INSTANTS:
            values[key] = moment_text(instant(value), known["timezone"], reader, words)
    return values | _derived(known, words)


def _derived(known: dict[str, Any], words: Words) -> dict[str, Any]:
    # The tutor wrote them. Where streets have no names, a place is often the link of a map.
    derived = {
        **_link_and_host("meeting", known.get("meeting_link")),
        **_link_and_host("location", known.get("location")),
    }
    if "students" in known:
        derived["student_count"] = len(known["students"])
        names = [name for name in (clean(name, LONGEST_NAME) for name in known["students"]) if name]
        shown = names if derived["student_count"] <= _MAX_NAMES else names[: _MAX_NAMES - 1]
        # Students without a name are counted among the others; if no name is known, the templates have a word.
        derived["students"] = words.listed(shown, derived["student_count"] - len(shown)) if shown else ""
    if "ends_at" in known:
        length = instant(known["ends_at"]) - instant(known["starts_at"])
        derived["length"] = words.span(exactly(int(length.total_seconds()) // 60))
    if "minutes_left" in known:
        derived["until"] = words.until(about(int(known["minutes_left"])))
    if "count" in known:
        derived["count"] = int(known["count"] or 1)
    return derived


def _link_and_host(name: str, address: str | None) -> dict[str, Any]:
    link = foreign_link(address) if address else None
    return {f"{name}_link": link and link.address, f"{name}_host": link and link.host}
