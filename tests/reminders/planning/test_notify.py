"""Notifications: their channels, once for each key; and the announcements of changed lessons."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import School
from worker.access.session_people import people_of_session
from worker.database import Database
from worker.reminders.planning.announcements import announcements_for
from worker.reminders.planning.lessons import Lesson, ViewerRole
from worker.reminders.planning.notify import notify

NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


class UserFixture:
    def __init__(self, database: Database) -> None:
        self.database = database

    def sql(self, statement: str, **values: Any) -> Sequence[Any]:
        with self.database.transaction() as session:
            result = session.execute(text(statement), values)
            return result.all() if result.returns_rows else []  # type: ignore[attr-defined]

    def notify(self, *user_ids: int, key: str = "k", **options: Any) -> int:
        with self.database.transaction() as session:
            return notify(session, "test", user_ids=user_ids, data={"label": "ሰላም"}, key=key, now=NOW, **options)

    def deliveries(self) -> set[tuple[int, str]]:
        return {(row.user_id, row.channel) for row in self.sql("SELECT * FROM deliveries")}


@pytest.fixture
def users(database: Database, school: School) -> UserFixture:
    return UserFixture(database)


class TestNotify:
    def test_by_the_channels_that_each_prefers(self, users: UserFixture) -> None:
        users.sql("INSERT INTO notification_preferences (user_id, channels) VALUES (2, '{in_app,7}')")
        assert users.notify(1, 2, 2, expires_at=NOW + DAY) == 4
        assert users.deliveries() == {(1, "email"), (1, "in_app"), (2, "in_app"), (2, "7")}
        row = users.sql("SELECT * FROM deliveries")[0]
        assert (row.kind, row.state, row.due_at, row.expires_at) == ("test", "pending", NOW, NOW + DAY)
        assert row.data == {"label": "ሰላም"}

    def test_once_for_each_key(self, users: UserFixture) -> None:
        assert [users.notify(1), users.notify(1, 2), users.notify(1, key="other")] == [2, 2, 2]

    def test_nobody_who_is_not_active_or_not_there(self, users: UserFixture) -> None:
        users.sql("UPDATE users SET is_active = false WHERE id = 2")
        assert users.notify() == users.notify(2, 99) == 0


class TestPeopleOfSession:
    def of(self, users: UserFixture, **columns: Any) -> list[int]:
        values = {"booking": None, "host": None, "host_type": None, "ids": [], "types": []} | columns
        ((session_id,),) = users.sql(
            "INSERT INTO whiteboard_sessions (booking_id, host_profile_id, host_profile_type, participant_profile_ids,"
            " participant_profile_types) VALUES (:booking, :host, :host_type, :ids, :types) RETURNING id",
            **values,
        )
        with users.database.transaction() as session:
            return list(people_of_session(session, session_id))

    def test_those_of_its_booking(self, users: UserFixture, school: School) -> None:
        assert self.of(users, booking=school.booking_id) == [1, 2, 3]

    def test_host_and_participants_by_the_kind_of_their_profiles(self, users: UserFixture) -> None:
        assert self.of(users, host=14, host_type="tutor", ids=[25, 36], types=["student", "parent"]) == [4, 5, 6]

    def test_nobody_who_shares_nothing_with_the_host(self, users: UserFixture) -> None:
        """However they came into the session: what its host says there, a title for one, is not shown to them."""
        assert self.of(users, host=14, host_type="tutor", ids=[22, 36], types=["student", "parent"]) == [4, 6]
        assert self.of(users, host=22, host_type="student", ids=[25, 11], types=["student", "tutor"]) == [1, 2, 3]

    @pytest.mark.parametrize("status", ["completed", "cancelled"])
    def test_no_student_whose_booking_is_over(self, users: UserFixture, school: School, status: str) -> None:
        users.sql(
            "UPDATE tutor_student_bookings SET status = :status WHERE id = :id", status=status, id=school.booking_id
        )
        assert self.of(users, booking=school.booking_id, host=11, host_type="tutor", ids=[22], types=["student"]) == [1]

    def test_students_of_its_lesson_also_when_that_is_over(self, users: UserFixture) -> None:
        """A slot is booked without a booking, and its recording is ready when the lesson is completed."""
        ((lesson_id,),) = users.sql(
            "INSERT INTO tutor_schedules (tutor_id, student_id, schedule_date, start_time, end_time, starts_at,"
            " ends_at, status) VALUES (14, 22, '2026-02-02', '14:00', '15:00', '2026-02-02 11:00Z',"
            " '2026-02-02 12:00Z', 'completed') RETURNING id"
        )
        users.sql(
            "INSERT INTO schedule_participants"
            " SELECT id, student_id, NULL, starts_at, ends_at, status FROM tutor_schedules"
        )
        ((session_id,),) = users.sql(
            "INSERT INTO whiteboard_sessions (schedule_id, host_profile_id, host_profile_type, participant_profile_ids,"
            " participant_profile_types) VALUES (:lesson, 14, 'tutor', '{22}', '{student}') RETURNING id",
            lesson=lesson_id,
        )
        with users.database.transaction() as session:
            assert list(people_of_session(session, session_id)) == [2, 3, 4]

    def test_ids_of_other_kinds_are_other_people(self, users: UserFixture) -> None:
        assert self.of(users, ids=[22, 11], types=["tutor", "student"]) == []

    def test_inactive_profiles(self, users: UserFixture, school: School) -> None:
        users.sql("UPDATE student_profiles SET is_active = false WHERE id = 22")
        assert self.of(users, booking=school.booking_id) == [1, 3]


PEOPLE = {1: ViewerRole("tutor", ("Abel",)), 2: ViewerRole("student", ("Abel",)), 3: ViewerRole("parent", ("Abel",))}


def lesson(
    number: int,
    starts_at: datetime = NOW + DAY,
    people: Mapping[int, ViewerRole] = PEOPLE,
    series_id: int | None = None,
    sequence: int = 1,
) -> Lesson:
    return Lesson(number, series_id, starts_at, starts_at + HOUR, "Africa/Addis_Ababa", "Maths", sequence, "T", people)


def news(before: Sequence[Lesson], after: Sequence[Lesson], **who: Any) -> list[tuple[Any, ...]]:
    """(kind, users, first lesson, how many), in order."""
    announcements = announcements_for(
        {entry.schedule_id: entry for entry in before}, {entry.schedule_id: entry for entry in after}, now=NOW, **who
    )
    return sorted((entry.kind, entry.user_ids, entry.schedule_id, entry.data["count"]) for entry in announcements)


class TestNews:
    def test_moved(self) -> None:
        (announcement, *_) = announcements = announcements_for(
            {7: lesson(7)}, {7: lesson(7, NOW + 2 * DAY, sequence=4)}, now=NOW, by="Sara"
        )
        assert [item.user_ids for item in announcements] == [(1,), (2,), (3,)]
        assert (announcement.kind, announcement.key, announcement.expires_at) == (
            "lesson-moved",
            "lesson-moved:7:4",
            NOW + 2 * DAY,
        )
        assert announcement.data == {
            "schedule_id": 7,
            "count": 1,
            "by": "Sara",
            "view": "tutor",
            "students": ["Abel"],
            "schedule_ids": [7],
            "before_starts_at": "2026-05-02T09:00:00+00:00",
        }

    def test_cancelled_tells_what_the_lesson_was(self) -> None:
        announcements = announcements_for(
            {7: lesson(7)}, {7: lesson(7, people={}, sequence=2)}, now=NOW, by_user_id=1, by="Sara"
        )
        assert {item.user_ids: item.data["view"] for item in announcements} == {(2,): "student", (3,): "parent"}
        assert announcements[0].key == "lesson-cancelled:7:2"
        assert announcements[0].data == {
            "schedule_id": 7,
            "count": 1,
            "by": "Sara",
            "view": "student",
            "students": ["Abel"],
            "tutor": "T",
            "starts_at": "2026-05-02T09:00:00+00:00",
            "timezone": "Africa/Addis_Ababa",
            "subject": "Maths",
            "schedule_ids": [7],
            "ends_at": "2026-05-02T10:00:00+00:00",
            "sequence": 2,
        }

    def test_many_of_a_series_are_one_message(self) -> None:
        before = [lesson(number, NOW + number * DAY, series_id=5) for number in (4, 2, 3)]
        after = [lesson(number, NOW + number * DAY, {}, series_id=5) for number in (2, 3, 4)]
        cancelled = "lesson-cancelled"
        assert news(before, after) == [(cancelled, (1,), 2, 3), (cancelled, (2,), 2, 3), (cancelled, (3,), 2, 3)]

    def test_two_series_and_single_lessons_are_one_message_of_each_subject(self) -> None:
        before = [lesson(1, series_id=5), lesson(2, series_id=6), lesson(3), replace(lesson(4), subject="Physics")]
        after = [replace(entry, people={}) for entry in before]
        assert {(number, count) for _, _, number, count in news(before, after)} == {(1, 3), (4, 1)}

    def test_who_leaves_hears_that_it_is_off_and_the_others_nothing(self) -> None:
        rest = {user_id: place for user_id, place in PEOPLE.items() if user_id == 1}
        assert news([lesson(1)], [lesson(1, people=rest)]) == [
            ("lesson-cancelled", (2,), 1, 1),
            ("lesson-cancelled", (3,), 1, 1),
        ]

    def test_what_comes_back_is_told_to_all_but_who_did_it(self) -> None:
        off = [lesson(number, NOW + number * DAY, {}, series_id=5) for number in (3, 2)]
        on = [lesson(number, NOW + number * DAY, series_id=5, sequence=3) for number in (2, 3)]
        (student, parent) = announcements_for(
            {entry.schedule_id: entry for entry in off},
            {entry.schedule_id: entry for entry in on},
            now=NOW,
            by_user_id=1,
            by="T",
        )
        assert (student.user_ids, parent.user_ids) == ((2,), (3,))
        assert (student.kind, student.key, student.data["count"]) == ("lesson-restored", "lesson-restored:2:3", 2)
        assert student.data["schedule_ids"] == [2, 3]
        # The announcement expires at the end of the last of them.
        assert student.expires_at == NOW + 3 * DAY + HOUR

    def test_a_slot_that_is_booked(self) -> None:
        slot = replace(lesson(1, people={}), is_slot=True)
        booked = "lesson-booked"
        assert news([slot], [lesson(1)], by_user_id=3) == [(booked, (1,), 1, 1), (booked, (2,), 1, 1)]
        assert news([slot], [slot]) == []

    def test_who_comes_into_a_lesson_of_others_hears_of_it_alone(self) -> None:
        rest = {user_id: place for user_id, place in PEOPLE.items() if user_id == 1}
        assert news([lesson(1, people=rest)], [lesson(1)], by_user_id=1) == [
            ("lesson-restored", (2,), 1, 1),
            ("lesson-restored", (3,), 1, 1),
        ]

    def test_who_comes_into_lessons_that_they_never_knew_hears_nothing(self) -> None:
        alone = {1: PEOPLE[1]}
        before, after = [lesson(1, people=alone), lesson(2, people=alone)], [lesson(1), lesson(2)]
        assert news(before, after, known={(1, 1), (2, 1), (2, 3), (7, 2)}) == [("lesson-restored", (3,), 1, 2)]
        assert news(after, before, known=()) == [("lesson-cancelled", (2,), 1, 2), ("lesson-cancelled", (3,), 1, 2)]

    def test_people_alike_are_told_together(self) -> None:
        parents = {3: ViewerRole("parent", ("Abel",)), 4: ViewerRole("parent", ("Abel",))}
        assert news([lesson(1, people=parents)], [lesson(1, people={})]) == [("lesson-cancelled", (3, 4), 1, 1)]

    @pytest.mark.parametrize(
        ("was", "is_now", "kinds"),
        [
            (lesson(1), lesson(1), set()),
            (lesson(1, NOW - DAY), lesson(1, NOW - 2 * DAY), set()),
            (lesson(1, NOW - DAY), lesson(1, people={}), set()),
            (lesson(1, NOW - DAY), lesson(1, NOW + DAY), {"lesson-moved"}),
            (lesson(1, NOW - HOUR / 2), lesson(1, NOW - HOUR / 2, {}), {"lesson-cancelled"}),
            (lesson(1, people={}), lesson(1), {"lesson-restored"}),
            (lesson(1, people={}), lesson(1, NOW + 2 * DAY), {"lesson-restored"}),
            (lesson(1, NOW - DAY, {}), lesson(1, NOW - DAY), set()),
            (lesson(1, people={}), lesson(1, people={}), set()),
        ],
    )
    def test_what_is_over_is_no_news(self, was: Lesson, is_now: Lesson, kinds: set[str]) -> None:
        assert {kind for kind, *_ in news([was], [is_now])} == kinds
