"""Accounts, profiles, and profiles without an account, as `payloads.json` expects them."""

from typing import Any

from tests.conftest import Platform, Sql
from tests.workflows.platform_import.conftest import Import, Refusals


def _ids(sql: Sql, table: str, where: str) -> list[int]:
    return [row.id for row in sql(f"SELECT id FROM {table} WHERE {where} ORDER BY id")]  # noqa: S608


def test_everybody_as_expected(run_import: Import, refusals: Refusals, sql: Sql, expected: Any) -> None:
    run_import()

    assert len(_ids(sql, "users", "true")) == expected["users"]
    assert _ids(sql, "users", "NOT is_active") == expected["users_inactive"]
    assert _ids(sql, "users", "first_name IS NULL") == expected["users_without_first_name"]
    assert _ids(sql, "users", "email IS NULL") == expected["users_without_email"]
    ((created_at,),) = sql("SELECT created_at FROM users WHERE id = 14")
    assert created_at.isoformat().replace("+00:00", "Z") == expected["user_14_created_at"]
    for role in ("tutor", "student", "parent"):
        assert len(_ids(sql, f"{role}_profiles", "true")) == expected[f"{role}_profiles"]
    assert _ids(sql, "tutor_profiles", "NOT is_active") == expected["tutor_profiles_inactive"]
    assert {str(row): reason for row, reason in refusals("student_profile").items()} == expected[
        "student_profiles_refused"
    ]
    for parent, children in expected["children_of_parent"].items():
        assert _ids(sql, "student_profiles", f"parent_id @> ARRAY[{int(parent)}]") == children


def test_people_come_in_while_the_zone_is_not_proven(run_import: Import, sql: Sql, expected: Any) -> None:
    counts = run_import(None)

    assert counts["person"] == {"read": 11, "stored": 11}
    assert counts["enrolment"] == {"waits": 1}
    assert len(_ids(sql, "users", "true")) == expected["users"]


def test_a_profile_that_gets_a_user_is_not_refused_any_more(
    run_import: Import, refusals: Refusals, platform: Platform, sql: Sql
) -> None:
    run_import()
    platform.owner.execute("UPDATE student_profiles SET user_id = 24 WHERE id = 22")
    platform.owner.execute("UPDATE users SET account_status = 'active', updated_at = '2026-11-01' WHERE id = 24")

    assert run_import()["student_profile"] == {"removed": 1}
    assert refusals("student_profile") == {}
    assert sql("SELECT user_id FROM student_profiles WHERE id = 22") == [(24,)]


def test_who_is_deleted_there_becomes_inactive(run_import: Import, platform: Platform, sql: Sql) -> None:
    run_import()
    platform.owner.execute("DELETE FROM users WHERE id = 24")
    platform.owner.execute("DELETE FROM schedules WHERE scheduler_id = 16")
    platform.owner.execute("UPDATE student_profiles SET user_id = NULL WHERE user_id = 16")
    platform.owner.execute("DELETE FROM users WHERE id = 16")

    assert run_import()["person"]["removed"] == 2
    assert sql("SELECT is_active FROM users WHERE id IN (16, 24)") == [(False,), (False,)]


def test_parents_who_are_nobody_are_reported(run_import: Import, platform: Platform, sql: Sql) -> None:
    statement = "SELECT platform_id, reason, is_refused, details FROM platform_refusals WHERE code = 'parents-left-out'"
    run_import()

    assert sql(statement) == [(12, "parent 99 left out: nobody's", False, {"parents": [99]})]

    platform.owner.execute("UPDATE student_profiles SET parent_id = '{17,99,98}' WHERE id = 12")
    run_import()
    assert sql(statement) == [(12, "parents 98, 99 left out: nobody's", False, {"parents": [98, 99]})]
    platform.owner.execute("UPDATE student_profiles SET parent_id = '{17}' WHERE id = 12")
    run_import()
    assert sql(statement) == []
