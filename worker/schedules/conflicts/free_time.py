"""The parts of a slot that no lesson covers. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from worker.recurrence.instants import Instants


class Free(NamedTuple):
    """A part of a slot without lessons; `whole` when it is the entire slot."""

    starts_at: datetime
    ends_at: datetime
    whole: bool


def free_parts(slot: Instants, lessons: Sequence[Instants]) -> list[Free]:
    """The parts of the slot that none of the `lessons` (sorted by start) covers."""
    free: list[Instants] = []
    begin = slot.starts_at
    for lesson in lessons:
        if lesson.ends_at <= begin:
            continue
        if lesson.starts_at >= slot.ends_at:
            break
        if lesson.starts_at > begin:
            free.append(Instants(begin, lesson.starts_at))
        begin = lesson.ends_at
    if begin < slot.ends_at:
        free.append(Instants(begin, slot.ends_at))
    return [Free(*part, whole=part == slot) for part in free]
