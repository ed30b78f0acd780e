"""People of the platform's sample, each row of which is an edge case."""

from urllib.parse import urlsplit

import pytest
from psycopg.sql import SQL, Identifier

from tests.conftest import Platform
from worker.access.people_records import ProfileRecord
from worker.errors import Unavailable
from worker.platform.connection import PlatformConnection
from worker.platform.people import PlatformPeople


def test_a_person_with_three_profiles(platform_people: PlatformPeople) -> None:
    person = platform_people.read([11])[11]

    assert (person.first_name, person.father_name, person.email) == ("Tigist", "Alemu", "tigist@example.org")
    assert person.profiles == {
        "tutor": ProfileRecord(14, "tigist.a"),
        "student": ProfileRecord(21, "s.tigist", grade_level="University"),
        "parent": ProfileRecord(13, "p.tigist"),
    }


def test_who_may_come_in(platform_people: PlatformPeople) -> None:
    """Three columns decide, and NULL is the default of each."""
    read = platform_people.read(range(1, 100))

    assert {user_id for user_id, person in read.items() if person.is_active} == {11, 12, 13, 14, 16, 21, 22, 23}
    assert read.keys() == {11, 12, 13, 14, 16, 17, 18, 21, 22, 23, 24}


def test_names_and_mail_may_be_missing(platform_people: PlatformPeople) -> None:
    read = platform_people.read([14, 16])

    assert (read[14].first_name, read[14].email) == (None, "signup14@example.org")
    assert (read[16].first_name, read[16].email) == ("Yared", None)


def test_profiles_that_were_given_up_and_those_that_say_nothing(platform_people: PlatformPeople) -> None:
    read = platform_people.read([13, 22])

    assert not read[13].profiles["tutor"].is_active
    assert read[22].profiles["parent"].is_active  # NULL


@pytest.mark.parametrize(
    ("user_id", "claims", "foreign"),
    [
        (11, {"tutor": 14, "student": 21, "parent": 13}, set()),
        (12, {"tutor": 14}, {"tutor"}),
        (13, {"tutor": 19, "student": 17}, set()),
        (12, {"student": 22}, set()),  # nobody's
        (12, {"student": 999}, set()),
    ],
)
def test_whose_the_claimed_profiles_are(
    platform_people: PlatformPeople, user_id: int, claims: dict[str, int], foreign: set[str]
) -> None:
    person, profiles = platform_people.read_claims(user_id, claims, seconds=30)

    assert person is not None
    assert person.id == user_id
    assert profiles == foreign


def test_nobody(platform_people: PlatformPeople) -> None:
    assert platform_people.read_claims(77, {"student": 88}, seconds=30) == (None, frozenset())


@pytest.mark.parametrize(
    "column", ["users.is_suspended", "users.account_status", "users.father_name", "student_profiles.grade_level"]
)
def test_columns_of_later_years_may_be_missing(
    platform: Platform, platform_people: PlatformPeople, column: str
) -> None:
    table, name = column.split(".")
    platform_people.read([11])
    platform.owner.execute(SQL("ALTER TABLE {} DROP COLUMN {}").format(Identifier(table), Identifier(name)))

    assert platform_people.read([11])[11].is_active


def test_a_column_that_is_added_counts_soon(platform: Platform, platform_connection: PlatformConnection) -> None:
    """No statement fails without it, so only the catalogue tells."""
    platform.owner.execute("ALTER TABLE users DROP COLUMN is_suspended")
    people = PlatformPeople(platform_connection, catalog_seconds=0)
    assert people.read([11])[11].is_active

    platform.owner.execute("ALTER TABLE users ADD COLUMN is_suspended boolean DEFAULT true")
    with pytest.raises(Unavailable, match=r"users\.is_suspended may not be read"):
        people.read([11])

    reader = Identifier(urlsplit(platform.url).username or "")
    platform.owner.execute(SQL("GRANT SELECT (is_suspended) ON users TO {}").format(reader))
    assert not people.read([11])[11].is_active


def test_a_state_without_parents(platform: Platform, platform_people: PlatformPeople) -> None:
    platform.owner.execute("DROP TABLE parent_profiles")

    assert platform_people.read([11])[11].profiles.keys() == {"tutor", "student"}
    assert platform_people.read_claims(11, {"parent": 13}, seconds=30)[1] == frozenset()


def test_without_the_grant_nobody_is_let_in_by_mistake(platform: Platform, platform_people: PlatformPeople) -> None:
    """It is unknown who is suspended, so nothing is read, instead of assuming the default."""
    reader = Identifier(urlsplit(platform.url).username or "")
    platform.owner.execute(SQL("REVOKE SELECT (is_suspended) ON users FROM {}").format(reader))

    with pytest.raises(Unavailable, match=r"users\.is_suspended may not be read"):
        platform_people.read([11])

    platform.owner.execute(SQL("GRANT SELECT (is_suspended) ON users TO {}").format(reader))
    assert platform_people.read([11])
