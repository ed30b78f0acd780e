"""Every column that names a person is known to `astegni users export` and `erase`."""

import re

import pytest

from models.metadata import metadata
from models.personal_data import NOT_PERSONAL, PERSONAL_TABLES, PersonalTable
from tests.statements import run_statement
from worker.database import Database

PEOPLE = {"users", "tutor_profiles", "student_profiles", "parent_profiles"}
# Names of columns that say who somebody is, without a foreign key.
NAMING = re.compile(
    r"(user|tutor|student|parent|profile|requester|admin|person)_ids?$|principal|actor|^who$|_by$|email|phone|_name$"
)
# Such names that are about no person.
OTHERWISE = {
    ("whiteboard_session_recordings", "spool_name"),
    ("recording_renditions", "object_name"),
    ("whiteboard_snapshots", "object_name"),
    ("tutor_student_bookings", "package_name"),
    ("schedule_series", "package_name"),
    ("session_requests", "package_name"),
    # `person` or `series`.
    ("tutor_schedules", "cancelled_by"),
}


def naming_columns() -> set[tuple[str, str]]:
    columns = {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.columns
        if NAMING.search(column.name) or any(key.column.table.name in PEOPLE for key in column.foreign_keys)
    }
    return columns - OTHERWISE


def test_every_column_that_names_a_person_is_declared() -> None:
    """A new one needs a row in models/personal_data.py: how it is found, and what erasing does with it."""
    missing = set()
    for table, column in naming_columns():
        mine = [personal for personal in PERSONAL_TABLES if personal.table == table]
        known = any(re.search(rf"\b{column}\b", each.condition) or column in (each.blank or {}) for each in mine)
        deleted = any(each.blank is None for each in mine)
        if table not in NOT_PERSONAL and not known and not deleted:
            missing.add((table, column))
    assert missing == set(), "add these to models/personal_data.py, or to OTHERWISE here if they are about no person"


def test_what_is_declared_exists_and_says_why_it_is_kept() -> None:
    named = {table for table, _ in naming_columns()}
    assert named <= {personal.table for personal in PERSONAL_TABLES} | set(NOT_PERSONAL)
    assert set(NOT_PERSONAL) <= named
    for personal in PERSONAL_TABLES:
        columns = metadata.tables[personal.table].columns
        assert set(personal.blank or {}) | set(personal.secret) <= set(columns.keys()), personal
        assert (personal.blank is None) is (personal.why_kept == ""), personal


@pytest.mark.parametrize("personal", PERSONAL_TABLES, ids=lambda personal: personal.table)
def test_each_condition_is_sql(personal: PersonalTable, database: Database) -> None:
    condition = re.sub(r":of_(user|principal)\b", "NULL", personal.condition)
    condition = re.sub(r":of_\w+", "'{}'", condition)
    assert run_statement(database, f"SELECT 1 FROM {personal.table} WHERE {condition}") == []  # noqa: S608 - ours
