"""Who is busy when, and with which lesson. Pure: rows in, overlaps out."""

from bisect import bisect_left, bisect_right
from datetime import datetime
from typing import Final, NamedTuple

TUTOR: Final = "tutor"
STUDENT: Final = "student"


class Person(NamedTuple):
    """A tutor or a student by profile id. The ids of the two kinds overlap, so an id alone identifies nobody."""

    kind: str
    id: int


class BusyTimes:
    """The lessons of many people. Those of one person never overlap: the database and `take` both ensure it."""

    def __init__(self) -> None:
        self._begins: dict[Person, list[datetime]] = {}
        self._lessons: dict[Person, list[tuple[datetime, int]]] = {}

    def find(self, person: Person, starts_at: datetime, ends_at: datetime) -> int | None:
        """The id of a lesson that `person` has at that time; None when they are free."""
        begins = self._begins.get(person)
        if not begins:
            return None
        lessons = self._lessons[person]
        # Of the lessons that begin before `ends_at`, only the last can still be running at `starts_at`.
        before = bisect_left(begins, ends_at) - 1
        if before < 0:
            return None
        ends, schedule_id = lessons[before]
        return schedule_id if ends > starts_at else None

    def take(self, person: Person, starts_at: datetime, ends_at: datetime, schedule_id: int) -> None:
        """Add this lesson to the busy times of `person`; idempotent."""
        begins = self._begins.setdefault(person, [])
        lessons = self._lessons.setdefault(person, [])
        place = bisect_right(begins, starts_at)
        if place and begins[place - 1] == starts_at:
            return
        begins.insert(place, starts_at)
        lessons.insert(place, (ends_at, schedule_id))
