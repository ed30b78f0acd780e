"""Which lessons of a batch collide: with what, in which order, and which are the same lesson twice."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from worker.schedules.platform_lessons import PlatformLesson, Seat
from worker.schedules.platform_overlaps import OverlappingLesson
from worker.workflows.platform_import.lessons.collisions import Collision, find_collisions

NOON = datetime(2029, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def lesson(
    tutor: int, *students: int, at: float = 0, status: str = "scheduled", stored_id: int | None = None
) -> PlatformLesson:
    seats = tuple(Seat(student, None) for student in students)
    starts_at = NOON + at * HOUR
    nothing = {"subject": None, "session_format": None, "location": None, "notes": None, "created_at": None}
    return PlatformLesson(
        stored_id, tutor, seats, None, date(2029, 1, 1), time(12), time(13), "UTC", starts_at, starts_at + HOUR,
        status=status, attendance="unknown", **nothing,
    )  # fmt: skip


def near(number: int, tutor: int, *students: int, at: float = 0, status: str = "scheduled") -> OverlappingLesson:
    return OverlappingLesson(number, tutor, frozenset(students), NOON + at * HOUR, NOON + (at + 1) * HOUR, status)


@pytest.mark.parametrize(
    ("lessons", "collisions"),
    [
        ([lesson(1, 11), lesson(1, 12, at=0.5)], [None, Collision("tutor-busy", place=0)]),
        ([lesson(1, 11, 12), lesson(2, 12, at=0.5)], [None, Collision("student-busy", place=0)]),
        ([lesson(1, 11), lesson(1, 12, at=1)], [None, None]),  # one after the other
        ([lesson(1, 11), lesson(1, 11)], [None, Collision("same-as", place=0)]),
        ([lesson(1, 11, status="completed"), lesson(1, 11)], [None, Collision("same-as", place=0)]),
        ([lesson(1, 11, status="completed"), lesson(1, 12)], [None, None]),
        ([lesson(1, 11, status="cancelled"), lesson(1, 11)], [None, None]),
        ([lesson(1, 11), lesson(1, 11, status="cancelled")], [None, None]),
        # The numbers of tutors and students overlap.
        ([lesson(1, 11), lesson(11, 1)], [None, None]),
        # A lesson that is refused is in nobody's way.
        ([lesson(1, 11), lesson(1, 12, at=0.5), lesson(2, 12, at=0.6)], [None, Collision("tutor-busy", place=0), None]),
        # What is stored comes before what is new, whatever the order of their rows.
        ([lesson(1, 11), lesson(1, 12, at=0.5, stored_id=7)], [Collision("tutor-busy", place=1), None]),
    ],
)
def test_within_a_batch(lessons: list[PlatformLesson], collisions: list[Collision | None]) -> None:
    assert find_collisions(lessons, [[] for _ in lessons]) == collisions


@pytest.mark.parametrize(
    ("candidate", "other", "collision"),
    [
        (lesson(1, 11), near(5, 1, 12), Collision("tutor-busy", stored_id=5)),
        (lesson(1, 11), near(5, 2, 11, 12), Collision("student-busy", stored_id=5)),
        (lesson(1, 11), near(5, 1, 11, status="completed"), Collision("same-as", stored_id=5)),
        (lesson(1, 11), near(5, 1, 12, status="completed"), None),
        (lesson(1, 11, status="completed"), near(5, 1, 12), None),
        (lesson(1, 11, status="cancelled"), near(5, 1, 11), None),
    ],
)
def test_beside_what_is_stored(
    candidate: PlatformLesson, other: OverlappingLesson, collision: Collision | None
) -> None:
    assert find_collisions([candidate], [[other]]) == [collision]


def test_the_reason_names_the_other_lesson() -> None:
    assert Collision("student-busy", stored_id=5).reason("85") == "student busy (85)"
    assert Collision("same-as", place=0).reason("88") == "same as lesson 88"
