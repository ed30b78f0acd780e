"""Whose lessons appear in whose calendar, for how long, and in which words."""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update

from models.people import ParentProfile, StudentProfile, TutorProfile
from models.people import User as Person
from models.schedules import CalendarFeed, Schedule, ScheduleParticipant
from tests.conftest import School
from worker.access.callers import UserCaller
from worker.calendars.event import Event
from worker.database import Database
from worker.errors import NotFound
from worker.schedules.feeds import lessons
from worker.schedules.feeds.addresses import feed_created_at, find_owner, open_feed, revoke_feed
from worker.schedules.feeds.lessons import Feed, read_feed

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
ADDIS = "Africa/Addis_Ababa"
EVERYBODY = ("tutor", "student", "parent", "other_tutor", "other_student", "other_parent")


AddLesson = Callable[..., int]


@pytest.fixture
def lesson(database: Database) -> AddLesson:
    """`lesson(days=3, students=(22,), …)`: a lesson of tutor 11 that many days after NOW; its id."""

    def make(*, days: float = 1, students: tuple[int, ...] = (22,), **columns: Any) -> int:
        starts_at = NOW + timedelta(days=days)
        values: dict[str, Any] = {
            "tutor_id": 11,
            "student_id": students[0] if students else None,
            "schedule_date": (starts_at + timedelta(hours=3)).date(),
            "start_time": time(15),
            "end_time": time(16),
            "timezone": ADDIS,
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(hours=1),
            "subject": "Mathematics",
            "created_at": NOW - timedelta(days=90),
            "updated_at": NOW - timedelta(days=1),
        }
        with database.transaction() as session:
            row = Schedule(**values | columns)
            session.add(row)
            session.flush()
            if row.starts_at is not None and row.ends_at is not None:
                session.add_all(
                    ScheduleParticipant(
                        schedule_id=row.id,
                        student_id=student_id,
                        starts_at=row.starts_at,
                        ends_at=row.ends_at,
                        status=row.status or "scheduled",
                    )
                    for student_id in students
                )
            return row.id

    return make


def feed_of(database: Database, person: UserCaller, now: datetime = NOW) -> Feed:
    with database.transaction() as session:
        secret = open_feed(session, person.user_id)
    with database.transaction() as session:
        return read_feed(session, find_owner(session, secret), now=now, timezone=ADDIS)


def event_of(database: Database, person: UserCaller, now: datetime = NOW) -> Event:
    (event,) = feed_of(database, person, now).events
    return event


def readers(database: Database, school: School, lesson_id: int) -> set[str]:
    uid = f"lesson-{lesson_id}@astegni"
    return {who for who in EVERYBODY if uid in {item.uid for item in feed_of(database, getattr(school, who)).events}}


@pytest.mark.usefixtures("school")
class TestSecret:
    """The address itself."""

    def test_it_is_long_random_and_only_its_hash_is_stored(self, database: Database) -> None:
        with database.transaction() as session:
            secret = open_feed(session, 1)
            assert re.fullmatch(r"[A-Za-z0-9_-]{43}", secret)  # 256 bits
            row = session.scalars(select(CalendarFeed)).one()
            assert (row.user_id, row.secret_hash) == (1, hashlib.sha256(secret.encode()).hexdigest())
            assert find_owner(session, secret).user_id == 1

    def test_a_new_one_ends_the_one_before(self, database: Database) -> None:
        with database.transaction() as session:
            first = open_feed(session, 1)
            session.execute(update(CalendarFeed).values(created_at=NOW))
        with database.transaction() as session:
            second, other = open_feed(session, 1), open_feed(session, 2)
            assert len({first, second, other}) == 3
            assert find_owner(session, second).user_id == 1
            made_at = feed_created_at(session, 1)
            assert made_at is not None
            assert made_at != NOW
            with pytest.raises(NotFound):
                find_owner(session, first)

    def test_revoked_it_opens_nothing(self, database: Database) -> None:
        with database.transaction() as session:
            secret, other = open_feed(session, 1), open_feed(session, 2)
            revoke_feed(session, 1)
            revoke_feed(session, 1)
            assert feed_created_at(session, 1) is None
            assert find_owner(session, other).user_id == 2
            with pytest.raises(NotFound):
                find_owner(session, secret)

    def test_whatever_is_wrong_the_answer_and_the_work_are_the_same(self, database: Database) -> None:
        with database.transaction() as session:
            inactive = open_feed(session, 2)
            stored = session.scalars(select(CalendarFeed.secret_hash)).one()
            session.execute(update(Person).where(Person.id == 2).values(is_active=False))
        statements: list[str] = []
        event.listen(database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
        problems = set()
        for secret in (inactive, stored, inactive[:-1], inactive.upper(), "", "x" * 60_000, "\x00", "ለ\ud800", "%"):
            with database.transaction() as session, pytest.raises(NotFound) as raised:
                find_owner(session, secret)
            problems.add(str(raised.value.problem()))
        assert len(problems) == 1
        assert len(statements) == 9
        assert len(set(statements)) == 1


class TestWhose:
    """Tutors, those who take part, and parents by the database."""

    def test_everybody_of_a_lesson_and_nobody_else(self, database: Database, school: School, lesson: AddLesson) -> None:
        mine, theirs = lesson(), lesson(tutor_id=14, students=(25,))
        assert readers(database, school, mine) == {"tutor", "student", "parent"}
        assert readers(database, school, theirs) == {"other_tutor", "other_student", "other_parent"}

    def test_a_group(self, database: Database, school: School, lesson: AddLesson) -> None:
        group = lesson(students=(22, 25))
        assert readers(database, school, group) == {*EVERYBODY} - {"other_tutor"}

    def test_who_left_a_group_has_the_lesson_no_more(
        self, database: Database, school: School, lesson: AddLesson
    ) -> None:
        group = lesson(students=(25,), student_id=22)
        assert readers(database, school, group) == {"tutor", "other_student", "other_parent"}

    def test_without_participants_the_row_says_whose_it_is(
        self, database: Database, school: School, lesson: AddLesson
    ) -> None:
        called_off = lesson(students=(), student_id=22, status="cancelled", cancelled_by="series")
        assert readers(database, school, called_off) == {"tutor", "student", "parent"}

    def test_a_parent_is_one_by_the_database(self, database: Database, school: School, lesson: AddLesson) -> None:
        mine = lesson()
        with database.transaction() as session:
            session.execute(update(StudentProfile).where(StudentProfile.id == 22).values(parent_id=[36]))
        assert readers(database, school, mine) == {"tutor", "student", "other_parent"}

    @pytest.mark.parametrize(
        ("profile", "who"), [(TutorProfile, "tutor"), (StudentProfile, "student"), (ParentProfile, "parent")]
    )
    def test_an_inactive_profile_reads_nothing(
        self, database: Database, school: School, lesson: AddLesson, profile: Any, who: str
    ) -> None:
        mine = lesson()
        with database.transaction() as session:
            session.execute(update(profile).values(is_active=False))
        assert readers(database, school, mine) == {"tutor", "student", "parent"} - {who}

    def test_all_parts_of_a_person_are_one_calendar(
        self, database: Database, school: School, lesson: AddLesson
    ) -> None:
        """The tutor's own child learns with another tutor, and so does the tutor."""
        with database.transaction() as session:
            session.add(StudentProfile(id=77, user_id=1))
            session.add(ParentProfile(id=88, user_id=1))
            session.flush()
            session.execute(update(StudentProfile).where(StudentProfile.id == 25).values(parent_id=[88]))
        taught = lesson()
        learnt = lesson(days=2, tutor_id=14, students=(77,))
        childs = lesson(days=3, tutor_id=14, students=(25,))
        events = feed_of(database, school.tutor).events
        assert [item.uid for item in events] == [f"lesson-{number}@astegni" for number in (taught, learnt, childs)]
        assert [item.summary for item in events] == [
            "Mathematics with student 2",
            "Mathematics with tutor 4",
            "student 5: Mathematics with tutor 4",
        ]

    def test_free_slots_are_the_tutors_alone(self, database: Database, school: School, lesson: AddLesson) -> None:
        slot = lesson(students=())
        assert readers(database, school, slot) == {"tutor"}
        slot_event = event_of(database, school.tutor)
        assert (slot_event.summary, slot_event.busy, slot_event.categories) == (
            "Free slot: Mathematics",
            False,
            ("Free slot", "Mathematics"),
        )


class TestWindow:
    """Thirty days back, everything ahead."""

    @pytest.mark.parametrize(
        ("days", "changed", "status", "visible"),
        [
            (-29, -40, "completed", True),
            (-31, -1, "completed", False),
            (89, -40, "scheduled", True),
            (5 * 366 + 1, -1, "scheduled", False),
            # Cancelled: shown for thirty days, whenever it would have been.
            (60, -29, "cancelled", True),
            (60, -31, "cancelled", False),
            (-29, -29, "cancelled", True),
            (-31, -1, "cancelled", False),
        ],
    )
    def test_what_is_told(
        self, database: Database, school: School, lesson: AddLesson, days: int, changed: int, status: str, visible: bool
    ) -> None:
        lesson_id = lesson(days=days, updated_at=NOW + timedelta(days=changed), status=status)
        assert readers(database, school, lesson_id) == ({"tutor", "student", "parent"} if visible else set())

    def test_a_lesson_that_is_just_ending_its_thirty_days(
        self, database: Database, school: School, lesson: AddLesson
    ) -> None:
        lesson(days=-30, timezone="Pacific/Kiritimati", schedule_date=date(2026, 4, 2))
        assert len(feed_of(database, school.tutor).events) == 1
        assert len(feed_of(database, school.student, NOW + timedelta(hours=1)).events) == 1
        assert feed_of(database, school.tutor, NOW + timedelta(hours=1, seconds=1)).events == []

    def test_rows_without_instants_wait(self, database: Database, school: School, lesson: AddLesson) -> None:
        lesson(starts_at=None, ends_at=None)
        assert feed_of(database, school.tutor).events == []

    def test_two_thousand_are_enough(self, database: Database, school: School) -> None:
        with database.transaction() as session:
            session.add_all(
                Schedule(
                    tutor_id=11,
                    schedule_date=NOW.date(),
                    start_time=time(15),
                    end_time=time(16),
                    starts_at=NOW + timedelta(minutes=number),
                    ends_at=NOW + timedelta(minutes=number + 1),
                )
                for number in range(lessons.MAX_LESSONS + 1)
            )
        events = feed_of(database, school.tutor).events
        assert len(events) == lessons.MAX_LESSONS
        assert (events[0].starts_at, events[-1].starts_at) == (NOW, NOW + timedelta(minutes=1999))


class TestWords:
    """What an event says, to each reader."""

    def test_names_are_told_to_those_who_may_know_them(
        self, database: Database, school: School, lesson: AddLesson
    ) -> None:
        with database.transaction() as session:
            for user_id, name, father in ((1, "አልማዝ", "በቀለ"), (2, "አበበ", "ከበደ"), (5, "Sara", "Girma")):
                values = {"first_name": name, "father_name": father}
                session.execute(update(Person).where(Person.id == user_id).values(values))
        lesson(students=(22, 25), student_name="አበበ ከበደ")
        events = {
            who: event_of(database, getattr(school, who)) for who in ("tutor", "student", "other_student", "parent")
        }
        assert {who: item.summary for who, item in events.items()} == {
            "tutor": "Mathematics with አበበ ከበደ and Sara Girma",
            "student": "Mathematics with አልማዝ በቀለ",
            "other_student": "Mathematics with አልማዝ በቀለ",
            "parent": "አበበ ከበደ: Mathematics with አልማዝ በቀለ",
        }
        for who, outsider in (("student", "Sara"), ("other_student", "አበበ"), ("parent", "Sara")):
            assert outsider not in repr(events[who])
        assert feed_of(database, school.tutor).name == "Astegni: አልማዝ በቀለ"

    def test_many_names(self, database: Database, school: School, lesson: AddLesson) -> None:
        with database.transaction() as session:
            for number in range(3):
                session.add(Person(id=50 + number, first_name=f"Child {number}", email=f"{number}@example.org"))
            session.flush()
            session.add_all(StudentProfile(id=60 + number, user_id=50 + number) for number in range(3))
        lesson(students=(22, 60, 61, 62))
        lesson_event = event_of(database, school.tutor)
        assert lesson_event.summary == "Mathematics with student 2, Child 0 and 2 others"
        assert lesson_event.description == "Students: student 2, Child 0, Child 1, Child 2"

    def test_a_student_without_an_account_is_no_free_slot(
        self, database: Database, school: School, lesson: AddLesson
    ) -> None:
        lesson(students=(), student_name="Marta")
        lesson_event = event_of(database, school.tutor)
        assert (lesson_event.summary, lesson_event.busy) == ("Mathematics with Marta", True)

    def test_everything_of_a_lesson(self, database: Database, school: School, lesson: AddLesson) -> None:
        lesson_id = lesson(
            grade_level="Grade 10",
            session_format="in-person",
            recurrence_pattern="every Monday",
            meeting_link="https://meet.example.org/x",
            location="Bole",
            notes="Bring paper",
            sequence=4,
        )
        assert event_of(database, school.student) == Event(
            uid=f"lesson-{lesson_id}@astegni",
            sequence=4,
            created_at=NOW - timedelta(days=90),
            changed_at=NOW - timedelta(days=1),
            starts_at=NOW + timedelta(days=1),
            ends_at=NOW + timedelta(days=1, hours=1),
            timezone=ADDIS,
            summary="Mathematics with tutor 1",
            description="Grade 10\nIn person\nevery Monday\n"
            "meet.example.org (link from the tutor): https://meet.example.org/x\nBring paper",
            location="Bole",
            categories=("Lesson", "Mathematics"),
        )

    def test_a_lesson_of_which_little_is_known(self, database: Database, school: School, lesson: AddLesson) -> None:
        lesson(subject=None, timezone=None, meeting_link="javascript:alert(1)")
        lesson_event = event_of(database, school.student)
        assert (lesson_event.summary, lesson_event.timezone, lesson_event.categories) == (
            "Lesson with tutor 1",
            ADDIS,
            ("Lesson",),
        )
        assert (lesson_event.description, lesson_event.location, lesson_event.url) == ("", "", "")

    def test_without_a_place_the_link_is_the_place(self, database: Database, school: School, lesson: AddLesson) -> None:
        lesson(meeting_link="https://meet.example.org/x")
        lesson_event = event_of(database, school.student)
        assert lesson_event.location == "meet.example.org (link from the tutor): https://meet.example.org/x"

    def test_cancelled_lessons_say_so(self, database: Database, school: School, lesson: AddLesson) -> None:
        lesson(status="cancelled")
        lesson_event = event_of(database, school.parent)
        assert (lesson_event.cancelled, lesson_event.summary) == (
            True,
            "Cancelled: student 2: Mathematics with tutor 1",
        )


def test_the_last_change_and_the_zone_of_the_owner(database: Database, school: School, lesson: AddLesson) -> None:
    lesson(updated_at=NOW - timedelta(hours=2))
    lesson(days=2, updated_at=NOW - timedelta(hours=1))
    with database.transaction() as session:
        secret = open_feed(session, 1)
        session.execute(update(CalendarFeed).values(created_at=NOW - timedelta(days=3)))
        for zone, expected_zone in (("America/New_York", "America/New_York"), ("Mars/Olympus", ADDIS), (None, ADDIS)):
            session.execute(update(Person).where(Person.id == 1).values(timezone=zone))
            feed = read_feed(session, find_owner(session, secret), now=NOW, timezone=ADDIS)
            assert (feed.timezone, feed.changed_at) == (expected_zone, NOW - timedelta(hours=1))
        # No later than the answer, whatever the clocks of two machines say (RFC 9110 §8.8.2.1).
        early = NOW - timedelta(hours=1, minutes=30)
        assert read_feed(session, find_owner(session, secret), now=early, timezone=ADDIS).changed_at == early
