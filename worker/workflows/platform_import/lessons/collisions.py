"""Find the lessons of a batch that collide with stored ones or with earlier ones of the batch. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from worker.schedules.conflicts.busy_times import STUDENT, TUTOR, BusyTimes, Person
from worker.schedules.platform_lessons import LIVE, PlatformLesson
from worker.schedules.platform_overlaps import OverlappingLesson

Code = Literal["tutor-busy", "student-busy", "same-as"]
_WORDS: Final = {"tutor-busy": "tutor busy", "student-busy": "student busy"}


@dataclass(frozen=True)
class Collision:
    """Why a lesson cannot be stored: because of the stored lesson `stored_id`, or of that at `place` in the batch."""

    code: Code
    stored_id: int | None = None
    place: int | None = None

    def reason(self, other: str) -> str:
        """The reason in words; `other` names the other lesson."""
        return f"same as lesson {other}" if self.code == "same-as" else f"{_WORDS[self.code]} ({other})"


def find_collisions(
    lessons: Sequence[PlatformLesson], near: Sequence[Sequence[OverlappingLesson]]
) -> list[Collision | None]:
    """For each lesson why it cannot be stored, or None. The first one wins, and already stored ones come first.

    The same lesson twice (tutor, times and students) is reported as such, whatever its status.
    """
    batch_ids = {lesson.id for lesson in lessons if lesson.id is not None}
    collisions: list[Collision | None] = [None] * len(lessons)
    busy = BusyTimes()
    same: dict[tuple[object, ...], int] = {}
    for place in sorted(range(len(lessons)), key=lambda number: (lessons[number].id is None, number)):
        lesson = lessons[place]
        others = [other for other in near[place] if other.id not in batch_ids]
        collisions[place] = _beside(lesson, others) or _within(lesson, busy, same)
        if collisions[place] is None and lesson.status != "cancelled":
            same.setdefault(_sameness(lesson), place)
            if lesson.is_live:
                for person in _people(lesson):
                    busy.take(person, lesson.starts_at, lesson.ends_at, place)
    return collisions


def _beside(lesson: PlatformLesson, others: Sequence[OverlappingLesson]) -> Collision | None:
    """The first stored lesson that is in the way."""
    if lesson.status == "cancelled":
        return None
    for other in others:
        if _sameness(other) == _sameness(lesson):
            return Collision("same-as", stored_id=other.id)
    if not lesson.is_live:
        return None
    live = [other for other in others if other.status in LIVE]
    for other in live:
        if other.tutor_id == lesson.tutor_id:
            return Collision("tutor-busy", stored_id=other.id)
    for other in live:
        if other.students & lesson.students:
            return Collision("student-busy", stored_id=other.id)
    return None


def _within(lesson: PlatformLesson, busy: BusyTimes, same: dict[tuple[object, ...], int]) -> Collision | None:
    """The earlier lesson of the batch that is in the way."""
    if lesson.status == "cancelled":
        return None
    twin = same.get(_sameness(lesson))
    if twin is not None:
        return Collision("same-as", place=twin)
    if lesson.is_live:
        for person in _people(lesson):
            place = busy.find(person, lesson.starts_at, lesson.ends_at)
            if place is not None:
                return Collision("tutor-busy" if person.kind == TUTOR else "student-busy", place=place)
    return None


def _people(lesson: PlatformLesson) -> Iterator[Person]:
    yield Person(TUTOR, lesson.tutor_id)
    for student_id in sorted(lesson.students):
        yield Person(STUDENT, student_id)


def _sameness(lesson: PlatformLesson | OverlappingLesson) -> tuple[object, ...]:
    return lesson.tutor_id, lesson.starts_at, lesson.ends_at, lesson.students
