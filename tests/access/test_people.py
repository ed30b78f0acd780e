"""A token's claims are checked against the database."""

import itertools
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import event, update

from models.people import ParentProfile, StudentProfile, TutorProfile
from models.people import User as Person
from tests.conftest import School
from worker.access.callers import UserCaller
from worker.access.people import still_valid, verify
from worker.database import Database
from worker.errors import Unauthorized


def _verify(database: Database, user: UserCaller) -> UserCaller:
    with database.transaction() as session:
        return verify(session, user)


def test_people_come_in_as_they_are(database: Database, school: School) -> None:
    for user in (school.tutor, school.student, school.parent, UserCaller(1), UserCaller(2, "student")):
        assert _verify(database, user) == user


def test_it_takes_one_query(database: Database, school: School) -> None:
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    _verify(database, school.tutor)
    assert len(statements) == 1


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(UserCaller(999), id="nobody"),
        pytest.param(UserCaller(1, tutor_id=14), id="somebody else's profile"),
        pytest.param(UserCaller(1, tutor_id=999), id="a profile that is not there"),
        pytest.param(UserCaller(1, tutor_id=11, student_id=22), id="one's own and somebody else's"),
        pytest.param(UserCaller(1, student_id=11), id="one's own id in another table"),
        pytest.param(UserCaller(3, parent_id=36), id="another parent"),
    ],
)
def test_forged_claims_are_refused(database: Database, school: School, forged: UserCaller) -> None:
    with pytest.raises(Unauthorized):
        _verify(database, forged)


def test_an_inactive_account_is_refused(database: Database, school: School) -> None:
    with database.transaction() as session:
        session.execute(update(Person).values(is_active=False))
    with pytest.raises(Unauthorized):
        _verify(database, school.tutor)


@pytest.mark.parametrize(
    ("profile", "who"), [(TutorProfile, "tutor"), (StudentProfile, "student"), (ParentProfile, "parent")]
)
def test_an_inactive_profile_counts_as_not_there(database: Database, school: School, profile: type, who: str) -> None:
    """Tokens name a profile for a week after it was given up; the person's other profiles go on."""
    with database.transaction() as session:
        session.execute(update(profile).values(is_active=False))
    caller = getattr(school, who)
    assert _verify(database, caller) == replace(caller, **{f"{who}_id": None})


def test_an_inactive_profile_that_is_not_claimed_does_not_matter(database: Database, school: School) -> None:
    with database.transaction() as session:
        session.execute(update(TutorProfile).values(is_active=False))
    assert _verify(database, replace(school.tutor, tutor_id=None)).tutor_id is None


def test_many_at_once_are_judged_as_each_alone(database: Database, school: School) -> None:
    """Of every set of claims, and after each kind of person has become inactive: who keeps every profile."""
    ids = itertools.product((1, 2, 3, 999), (None, 11, 14), (None, 22, 25), (None, 33, 36))
    users = [UserCaller(user_id, None, *profiles) for user_id, *profiles in ids]
    users += [school.tutor, school.student, school.parent]
    for inactive in (None, TutorProfile, StudentProfile, ParentProfile, Person):
        with database.transaction() as session:
            if inactive is not None:
                session.execute(update(inactive).values(is_active=False))
        alone = set()
        for user in users:
            with suppress(Unauthorized):
                if _verify(database, user) == user:
                    alone.add(user)
        with database.transaction() as session:
            assert still_valid(session, users) == alone
        assert bool(alone) == (inactive is not Person)


def test_nobody_costs_no_query(database: Database) -> None:
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    with database.transaction() as session:
        assert still_valid(session, []) == set()
    assert statements == []
