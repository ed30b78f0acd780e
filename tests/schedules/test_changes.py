"""One lesson, this and the following, or all of them: changed and cancelled; a day skipped."""

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest

from tests.schedules.conftest import ScheduleFixture
from worker.errors import Conflict, Forbidden, InvalidInput, NotFound
from worker.schedules.cancelling import LessonCancellation
from worker.schedules.changes import LessonChange
from worker.schedules.conflicts.clash import LessonConflict
from worker.schedules.planning import Planning
from worker.schedules.skips import DaySkip

MONDAYS = ["05-04", "05-11", "05-18", "05-25", "06-01"]


Change = Callable[..., Any]
Cancel = Callable[..., Any]


@pytest.fixture
def change(schedules: ScheduleFixture) -> Change:
    def _change(
        schedule_id: int, scope: str, *, caller: Any = None, skip_conflicts: bool = False, **changes: Any
    ) -> Any:
        with schedules.database.transaction() as session:
            command = LessonChange(schedule_id, changes, scope, Planning(schedules.now, 28, skip_conflicts))
            return command.apply(session, caller or schedules.school.tutor)

    return _change


@pytest.fixture
def cancel(schedules: ScheduleFixture) -> Cancel:
    def _cancel(schedule_id: int, scope: str = "one", caller: Any = None) -> Any:
        with schedules.database.transaction() as session:
            return LessonCancellation(schedule_id, scope, schedules.now).apply(
                session, caller or schedules.school.tutor
            )

    return _cancel


def hours(schedules: ScheduleFixture) -> list[str]:
    return [f"{row.start_time:%H}" for row in schedules.rows() if row.status == "scheduled"]


class TestOne:
    def test_it_moves_and_its_series_leaves_it_alone(self, schedules: ScheduleFixture, change: Change) -> None:
        series = schedules.series()
        change(2, "one", schedule_date=date(2026, 5, 12), start_time=time(15), end_time=time(16), notes="moved")
        moved = next(row for row in schedules.rows() if row.id == 2)
        assert (str(moved.schedule_date), str(moved.occurrence_date)) == ("2026-05-12", "2026-05-11")
        assert f"{moved.starts_at:%d %H:%M}-{moved.ends_at:%H:%M}" == "12 12:00-13:00"
        assert (moved.is_override, moved.sequence, moved.notes) == (True, 1, "moved")
        change(1, "all", start_time=time(8), end_time=time(9))
        assert hours(schedules) == ["08", "15", "08", "08", "08"]
        assert schedules.reconcile(series.series_id) == []
        assert len(schedules.rows()) == 5

    def test_its_participants_move_with_it(self, schedules: ScheduleFixture, change: Change) -> None:
        schedules.series()
        change(2, "one", start_time=time(15), end_time=time(16))
        [[starts_at]] = schedules.execute("SELECT starts_at FROM schedule_participants WHERE schedule_id = 2")
        assert f"{starts_at:%H}" == "12"

    def test_a_collision_changes_nothing(self, schedules: ScheduleFixture, change: Change) -> None:
        schedules.series()
        other = schedules.lesson("2026-05-11", "15:00", "16:00", person=schedules.second)
        with pytest.raises(LessonConflict) as caught:
            change(2, "one", start_time=time(15, 30), end_time=time(16, 30))
        assert caught.value.members["conflicts"][0]["schedule_id"] == other
        assert {row.sequence for row in schedules.rows()} == {0}

    def test_a_held_lesson_keeps_its_time_but_takes_notes(self, schedules: ScheduleFixture, change: Change) -> None:
        schedules.lesson("2026-05-04")
        schedules.execute("UPDATE tutor_schedules SET status = 'completed'")
        change(1, "one", notes="went well", start_time=time(10))
        assert schedules.rows()[0].notes == "went well"
        with pytest.raises(Conflict, match="completed"):
            change(1, "one", start_time=time(11))

    def test_a_cancelled_one_is_not_changed(self, schedules: ScheduleFixture, change: Change, cancel: Cancel) -> None:
        schedules.lesson("2026-05-04")
        cancel(1)
        with pytest.raises(Conflict, match="cancelled"):
            change(1, "one", notes="x")

    @pytest.mark.parametrize(
        "changes", [{"recurrence_pattern": "daily"}, {"start_time": None}, {"timezone": "Mars/Olympus"}]
    )
    def test_what_makes_no_sense_is_refused(self, schedules: ScheduleFixture, change: Change, changes: Any) -> None:
        schedules.series()
        with pytest.raises(InvalidInput):
            change(1, "one", **changes)


class TestAll:
    def test_words_and_times_of_every_future_lesson(self, schedules: ScheduleFixture, change: Change) -> None:
        creation = schedules.series()
        schedules.now += timedelta(days=7)
        ids = [row.id for row in schedules.rows()]
        change(3, "all", start_time=time(14), end_time=time(15), subject="Physics", meeting_link=None)
        rows = schedules.rows(creation.series_id)
        assert [row.id for row in rows][:5] == ids
        assert [(row.subject, f"{row.start_time:%H}", row.sequence) for row in rows][:2] == [
            ("Mathematics", "10", 0),
            ("Physics", "14", 1),
        ]
        [series] = schedules.execute("SELECT * FROM schedule_series")
        assert (series.subject, str(series.start_time)) == ("Physics", "14:00:00")
        assert "14:00 to 15:00" in series.recurrence_pattern
        assert series.recurrence_pattern == rows[1].recurrence_pattern

    def test_a_new_rule(self, schedules: ScheduleFixture, change: Change) -> None:
        schedules.series()
        change(1, "all", recurrence_pattern="every Monday and Thursday")
        assert schedules.days() == ["05-04", "05-07", "05-11", "05-14", "05-18", "05-21", "05-25", "05-28", "06-01"]

    def test_another_day_needs_a_rule(self, schedules: ScheduleFixture, change: Change) -> None:
        schedules.series()
        with pytest.raises(InvalidInput, match="recurrence_pattern"):
            change(1, "all", schedule_date=date(2026, 5, 5))
        change(1, "all", schedule_date=date(2026, 5, 5), recurrence_pattern="FREQ=WEEKLY")
        assert schedules.days() == ["05-05", "05-12", "05-19", "05-26", "06-02"]
        assert schedules.days(status="cancelled") == MONDAYS

    def test_a_collision_is_told_and_changes_nothing(self, schedules: ScheduleFixture, change: Change) -> None:
        schedules.series()
        schedules.lesson("2026-05-18", "14:00", "15:00", person=schedules.second)
        with pytest.raises(LessonConflict):
            change(1, "all", start_time=time(14), end_time=time(15))
        assert {f"{row.start_time:%H} {row.sequence}" for row in schedules.rows() if row.series_id} == {"10 0"}

    def test_a_collision_can_be_skipped_and_is_looked_at_again(
        self, schedules: ScheduleFixture, change: Change
    ) -> None:
        series = schedules.series()
        other = schedules.lesson("2026-05-18", "14:00", "15:00", person=schedules.second)
        _, [conflict] = change(1, "all", start_time=time(14), end_time=time(15), skip_conflicts=True)
        assert conflict.schedule_id == other
        assert schedules.days(series.series_id) == ["05-04", "05-11", "05-25", "06-01"]
        change(1, "all", start_time=time(16), end_time=time(17))
        assert schedules.days(series.series_id) == MONDAYS
        assert schedules.skips() == []

    def test_more_excluded_days(self, schedules: ScheduleFixture, change: Change) -> None:
        schedules.series()
        change(1, "all", exdates=["2026-05-18"])
        assert schedules.days() == ["05-04", "05-11", "05-25", "06-01"]
        assert schedules.skips() == [("05-18", None, "excluded", None)]

    def test_a_completed_series_goes_on_with_a_longer_rule(self, schedules: ScheduleFixture, change: Change) -> None:
        schedules.series("FREQ=WEEKLY;COUNT=2")
        schedules.execute("UPDATE schedule_series SET status = 'completed'")
        change(2, "all", recurrence_pattern="FREQ=WEEKLY;COUNT=3")
        assert schedules.days() == ["05-04", "05-11", "05-18"]


class TestFollowing:
    @pytest.mark.parametrize("pattern", ["FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=5", "FREQ=WEEKLY;UNTIL=20260601"])
    def test_the_series_is_split_and_ids_stay(self, schedules: ScheduleFixture, change: Change, pattern: str) -> None:
        old = schedules.series(pattern, people=[schedules.first, schedules.second], exdates=["2026-05-25"]).series_id
        schedules.execute("UPDATE tutor_schedules SET is_override = true, notes = 'mine' WHERE id = 4")
        ids = [row.id for row in schedules.rows()]
        change(3, "following", start_time=time(14), end_time=time(15))
        rows = schedules.rows()
        assert [row.id for row in rows][:4] == ids
        assert [f"{row.start_time:%H}" for row in rows][:4] == ["10", "10", "14", "10"]
        new = rows[2].series_id
        assert [row.series_id for row in rows][:4] == [old, old, new, new]
        first, second = schedules.execute("SELECT * FROM schedule_series ORDER BY id")
        assert (second.split_from_id, second.has_students, str(second.schedule_date)) == (old, True, "2026-05-18")
        ends = {"C": ("COUNT=2", "COUNT=3"), "U": ("UNTIL=20260517", "UNTIL=20260601")}
        before, after = ends.get(pattern[12:13], ("UNTIL=20260517", "BYDAY=MO"))
        assert before in first.rrule
        assert after in second.rrule
        assert [seat[1] for seat in schedules.participants()] == [22, 25] * len(rows)
        assert schedules.execute("SELECT series_id FROM schedule_skips")[0].series_id == new
        assert schedules.reconcile(old, new) == []
        schedules.now += timedelta(days=70)
        schedules.fill()
        assert len(schedules.rows(old)) == 2
        # 18 May and 1 June, 25 May being excluded; without an end, every Monday up to 3 August besides.
        assert len(schedules.rows(new)) == (2 if pattern != "FREQ=WEEKLY" else 11)

    def test_from_the_first_lesson_on_it_is_all_of_them(self, schedules: ScheduleFixture, change: Change) -> None:
        schedules.series()
        change(1, "following", subject="Physics")
        assert {row.subject for row in schedules.rows()} == {"Physics"}
        assert len(schedules.execute("SELECT * FROM schedule_series")) == 1

    def test_a_new_rule_from_here_on(self, schedules: ScheduleFixture, change: Change) -> None:
        schedules.series()
        change(3, "following", recurrence_pattern="every Tuesday")
        assert schedules.days() == ["05-04", "05-11", "05-19", "05-26", "06-02", "06-09", "06-16"]
        assert schedules.days(status="cancelled") == ["05-18", "05-25", "06-01"]

    def test_a_collision_splits_nothing(self, schedules: ScheduleFixture, change: Change) -> None:
        schedules.series()
        schedules.lesson("2026-05-25", "14:00", "15:00", person=schedules.second)
        with pytest.raises(LessonConflict):
            change(3, "following", start_time=time(14), end_time=time(15))
        assert len(schedules.execute("SELECT * FROM schedule_series")) == 1


class TestCancel:
    def test_one(self, schedules: ScheduleFixture, cancel: Cancel) -> None:
        series = schedules.series()
        for _ in range(2):
            cancel(2)
        [row] = [row for row in schedules.rows() if row.status == "cancelled"]
        assert (row.id, row.cancelled_by, row.sequence) == (2, "person", 1)
        assert schedules.reconcile(series.series_id) == []
        assert len(schedules.days()) == 4

    @pytest.mark.parametrize("status", ["in_progress", "completed"])
    def test_what_has_begun_is_not_cancelled(self, schedules: ScheduleFixture, cancel: Cancel, status: str) -> None:
        schedules.lesson("2026-05-04")
        schedules.execute("UPDATE tutor_schedules SET status = :status", status=status)
        with pytest.raises(Conflict, match=status):
            cancel(1)

    def test_all(self, schedules: ScheduleFixture, cancel: Cancel) -> None:
        schedules.series()
        schedules.execute("UPDATE tutor_schedules SET is_override = true WHERE id = 4")
        schedules.now += timedelta(days=4)
        cancel(3, "all")
        assert schedules.days() == ["05-04"]
        assert {row.cancelled_by for row in schedules.rows()[1:]} == {"person"}
        assert schedules.execute("SELECT status FROM schedule_series")[0].status == "cancelled"
        assert schedules.fill() == []
        schedules.book_status(schedules.booking_id, "paused")
        schedules.book_status(schedules.booking_id, "active")
        assert schedules.days() == ["05-04"]

    @pytest.mark.parametrize("pattern", ["FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=9", "FREQ=WEEKLY;UNTIL=20270101"])
    def test_following_ends_the_rule(self, schedules: ScheduleFixture, cancel: Cancel, pattern: str) -> None:
        series = schedules.series(pattern)
        cancel(3, "following")
        assert schedules.days() == ["05-04", "05-11"]
        schedules.now += timedelta(days=30)
        schedules.fill()
        assert schedules.reconcile(series.series_id) == []
        assert len(schedules.rows()) == 5

    def test_following_takes_slots_that_were_booked(self, schedules: ScheduleFixture, cancel: Cancel) -> None:
        schedules.series(people=[])
        schedules.execute("UPDATE tutor_schedules SET student_id = 22, booked_at = now() WHERE id = 4")
        cancel(3, "following")
        assert schedules.days() == ["05-04", "05-11"]


class TestSkip:
    def skip(self, schedules: ScheduleFixture, *days: str, caller: Any = None) -> None:
        with schedules.database.transaction() as session:
            skip = DaySkip(1, frozenset(date.fromisoformat(day) for day in days), schedules.now)
            skip.apply(session, caller or schedules.school.tutor)

    def test_lessons_of_skipped_days_are_cancelled_for_good(self, schedules: ScheduleFixture) -> None:
        schedules.series()
        for _ in range(2):
            self.skip(schedules, "2026-05-11", "2026-06-15")
        assert schedules.days() == ["05-04", "05-18", "05-25", "06-01"]
        assert schedules.skips() == [("05-11", None, "excluded", None), ("06-15", None, "excluded", None)]
        assert [(row.cancelled_by, row.sequence) for row in schedules.rows() if row.status == "cancelled"] == [
            ("person", 1)
        ]
        schedules.fill(horizon_days=49)
        assert schedules.days() == ["05-04", "05-18", "05-25", "06-01", "06-08", "06-22"]

    def test_a_day_that_was_skipped_for_a_collision(self, schedules: ScheduleFixture) -> None:
        schedules.lesson("2026-05-11", person=schedules.second)
        schedules.series(skip_conflicts=True)
        self.skip(schedules, "2026-05-11")
        assert schedules.skips() == [("05-11", None, "excluded", None)]

    def test_other_days_and_past_ones_are_refused(self, schedules: ScheduleFixture) -> None:
        schedules.series()
        with pytest.raises(InvalidInput, match="2026-05-12 is no day of this series: Every Monday"):
            self.skip(schedules, "2026-05-12")
        schedules.now += timedelta(days=4)
        with pytest.raises(Conflict, match="has begun"):
            self.skip(schedules, "2026-05-04")

    @pytest.mark.parametrize(
        ("who", "error"), [("student", Forbidden), ("parent", Forbidden), ("other_tutor", NotFound)]
    )
    def test_only_the_tutor_skips(self, schedules: ScheduleFixture, who: str, error: type[Exception]) -> None:
        schedules.series()
        with pytest.raises(error):
            self.skip(schedules, "2026-05-11", caller=getattr(schedules.school, who))


@pytest.mark.parametrize(
    ("who", "error"),
    [("student", Forbidden), ("parent", Forbidden), ("other_tutor", NotFound), ("other_student", NotFound)],
)
@pytest.mark.parametrize("scope", ["one", "following", "all"])
def test_only_the_tutor_changes(
    schedules: ScheduleFixture, change: Change, cancel: Cancel, who: str, error: type[Exception], scope: str
) -> None:
    schedules.series()
    caller = getattr(schedules.school, who)
    with pytest.raises(error):
        change(2, scope, caller=caller, notes="x")
    with pytest.raises(error):
        cancel(2, scope, caller)
    assert schedules.days() == MONDAYS
