"""Who may see which whiteboard session, and in which role they take part in it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from models.people import StudentProfile
from models.whiteboards import WhiteboardSession
from tests.conftest import School
from worker.access.callers import Operator, UserCaller
from worker.access.session_access import session_and_role, session_for
from worker.access.session_role import SessionRole
from worker.access.visibility import visible_sessions
from worker.database import Database
from worker.errors import Forbidden, NotFound

OPERATOR = Operator(3, frozenset())
EVERYBODY = ("tutor", "student", "parent", "other_tutor", "other_student", "other_parent")


AddSession = Callable[..., int]


@pytest.fixture
def lesson(database: Database) -> AddSession:
    """`lesson(booking_id=…)`: a session's id."""

    def make(**columns: Any) -> int:
        with database.transaction() as session:
            row = WhiteboardSession(**columns)
            session.add(row)
            session.flush()
            return row.id

    return make


def _seen_by(database: Database, caller: UserCaller | Operator) -> set[int]:
    with database.transaction() as session:
        return set(session.scalars(select(WhiteboardSession.id).where(visible_sessions(caller))))


def _who_sees(database: Database, school: School, session_id: int) -> set[str]:
    return {who for who in EVERYBODY if session_id in _seen_by(database, getattr(school, who))}


def _standing(database: Database, caller: UserCaller | Operator, session_id: int) -> SessionRole | None:
    with database.transaction() as session:
        return session_and_role(session, caller, session_id)[1]


def test_a_session_of_a_booking_is_seen_by_both_sides_and_the_parent(
    database: Database, school: School, lesson: AddSession
) -> None:
    booked = lesson(booking_id=school.booking_id)
    assert _who_sees(database, school, booked) == {"tutor", "student", "parent"}
    assert _standing(database, school.tutor, booked) == SessionRole(11, "tutor", full=True)
    assert _standing(database, school.student, booked) == SessionRole(22, "student", full=False)
    assert _standing(database, school.parent, booked) is None


def test_an_operator_sees_everything_and_changes_nothing(
    database: Database, school: School, lesson: AddSession
) -> None:
    booked, free = lesson(booking_id=school.booking_id), lesson()
    assert _seen_by(database, OPERATOR) == {booked, free}
    with database.transaction() as session, pytest.raises(Forbidden):
        session_for(session, OPERATOR, booked, change=True)


@pytest.mark.parametrize(
    ("who", "change", "raised"),
    [
        ("tutor", True, None),
        ("student", False, None),
        ("student", True, Forbidden),
        ("parent", False, None),
        ("parent", True, Forbidden),
        ("other_tutor", False, NotFound),
        ("other_tutor", True, NotFound),
        ("other_student", True, NotFound),
        ("other_parent", False, NotFound),
    ],
)
def test_asking_for_one(
    database: Database, school: School, lesson: AddSession, who: str, change: bool, raised: type[Exception] | None
) -> None:
    booked = lesson(booking_id=school.booking_id)
    with database.transaction() as session:
        if raised is None:
            assert session_for(session, getattr(school, who), booked, change=change).id == booked
        else:
            with pytest.raises(raised):
                session_for(session, getattr(school, who), booked, change=change)


def test_a_parent_is_a_parent_by_the_database_and_only_as_long(
    database: Database, school: School, lesson: AddSession
) -> None:
    booked = lesson(booking_id=school.booking_id)
    with database.transaction() as session:
        session.execute(update(StudentProfile).where(StudentProfile.id == 22).values(parent_id=[36]))
    assert _who_sees(database, school, booked) == {"tutor", "student", "other_parent"}


def test_without_a_booking_host_and_participants_see_it(database: Database, school: School, lesson: AddSession) -> None:
    call = lesson(
        host_profile_id=22,
        host_profile_type="student",
        participant_profile_ids=[25, 33],
        participant_profile_types=["student", "parent"],
    )
    assert _who_sees(database, school, call) == {"student", "other_student", "parent"}
    assert _standing(database, school.student, call) == SessionRole(22, "student", full=True)
    assert _standing(database, school.other_student, call) == SessionRole(25, "student", full=False)
    assert _standing(database, school.parent, call) == SessionRole(33, "parent", full=False)


def test_an_id_counts_only_beside_its_own_type(database: Database, school: School, lesson: AddSession) -> None:
    """Profile ids of tutors and students overlap in life: 11 the student is not 11 the tutor."""
    hosted = lesson(host_profile_id=11, host_profile_type="student")
    joined = lesson(participant_profile_ids=[11, 5], participant_profile_types=["student", "tutor"])
    assert _who_sees(database, school, hosted) == set()
    assert _who_sees(database, school, joined) == set()
    namesake = UserCaller(1, "student", tutor_id=5, student_id=11)
    assert _seen_by(database, namesake) == {hosted, joined}


def test_who_is_named_in_a_session_of_somebody_else_s_booking_does_not_see_it(
    database: Database, school: School, lesson: AddSession
) -> None:
    booked = lesson(booking_id=school.booking_id, participant_profile_ids=[25], participant_profile_types=["student"])
    assert _who_sees(database, school, booked) == {"tutor", "student", "parent"}


def test_somebody_without_profiles_sees_nothing(database: Database, school: School, lesson: AddSession) -> None:
    lesson(booking_id=school.booking_id)
    lesson()
    assert _seen_by(database, UserCaller(1)) == set()
