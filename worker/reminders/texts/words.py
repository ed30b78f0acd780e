"""The interface of a language."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from worker.reminders.texts.recipient import CalendarStyle
from worker.reminders.texts.spans import Span


class Words(Protocol):
    """What each language must implement; see `english`."""

    def moment(self, local: datetime, calendar: CalendarStyle) -> str: ...
    def in_zone(self, place: str, offset: str) -> str: ...
    def span(self, length: Span) -> str: ...
    def until(self, rest: Span) -> str: ...
    def listed(self, names: Sequence[str], others: int) -> str: ...
