"""Busy times give the same answers as comparing with every lesson."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from worker.schedules.conflicts.busy_times import STUDENT, TUTOR, BusyTimes, Person

MONDAY = datetime(2026, 5, 4, tzinfo=UTC)
TUTOR_1, STUDENT_1 = Person(TUTOR, 1), Person(STUDENT, 1)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=40))
def test_a_lesson_is_found_exactly_when_one_overlaps(requests: list[tuple[int, int]]) -> None:
    busy = BusyTimes()
    placed: list[tuple[int, int, int]] = []
    for number, (begin, length) in enumerate(requests):
        starts_at, ends_at = MONDAY + timedelta(hours=begin), MONDAY + timedelta(hours=begin + length)
        others = {lesson_id for since, until, lesson_id in placed if since < begin + length and begin < until}
        conflict = busy.find(TUTOR_1, starts_at, ends_at)
        assert (conflict in others) if others else (conflict is None)
        assert busy.find(STUDENT_1, starts_at, ends_at) is None
        if conflict is None:
            busy.take(TUTOR_1, starts_at, ends_at, number)
            placed.append((begin, begin + length, number))


def test_said_twice_it_is_one() -> None:
    busy = BusyTimes()
    for _ in range(2):
        busy.take(TUTOR_1, MONDAY, MONDAY + timedelta(hours=1), 7)
    assert busy.find(TUTOR_1, MONDAY, MONDAY + timedelta(hours=1)) == 7
