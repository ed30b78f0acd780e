"""How rows of any kind are read and stored: batches, savepoints, dry runs, concurrent runs, an outage."""

import threading

import pytest

from tests.conftest import Platform, Sql
from tests.platform_statements import noted_connection
from tests.workflows.platform_import.conftest import Import, Refusals, stored
from worker.database import Database
from worker.errors import Unavailable
from worker.platform.connection import PlatformConnection
from worker.workflows.platform_import.transactions import PullLimits, rolled_back


def test_small_batches_give_the_same(run_import: Import, sql: Sql) -> None:
    counts = run_import(limits=PullLimits(rows=2, ids=3))

    assert counts["person"] == {"read": 11, "stored": 11}
    assert counts["enrolment"] == {"read": 5, "stored": 5}
    assert sql("SELECT count(*) FROM tutor_student_bookings") == [(7,)]


def test_one_statement_for_each_kind_when_nothing_has_changed(run_import: Import, platform: Platform, sql: Sql) -> None:
    for _ in range(3):
        run_import(compare=False)
    sql("UPDATE platform_pulls SET pulled_at = '2026-01-01Z'")

    with noted_connection(platform.url) as connection:
        counts = run_import(compare=False, connection=connection)

    assert all(kind == {} for kind in counts.values())
    # The catalogue, and each kind but those that are only read when ids are compared.
    only_compared = {"student_parent", *(f"{role}_profile" for role in ("tutor", "student", "parent"))}
    assert len(connection.statements) == 1 + len(counts.keys() - only_compared)
    assert all(statement.startswith("SELECT count(*)") for statement in connection.statements[1:])
    assert sql("SELECT count(*) FROM platform_pulls WHERE pulled_at < '2026-06-01Z'") == [(0,)]


def test_what_changes_between_comparisons(run_import: Import, platform: Platform, sql: Sql) -> None:
    run_import()
    platform.owner.execute(
        "UPDATE users SET first_name = 'Selam', updated_at = '2026-10-30 17:03:45' WHERE id = 14;"
        "INSERT INTO users (id, first_name, password_hash, created_at, updated_at)"
        " VALUES (30, 'New', 'x', '2026-10-30 16:00', '2026-10-30 16:00')"
    )

    assert run_import(compare=False)["person"]["stored"] == 2

    assert sql("SELECT first_name FROM users WHERE id IN (14, 30) ORDER BY id") == [("Selam",), ("New",)]


def test_a_row_that_was_written_long_ago_is_found_by_its_id(run_import: Import, platform: Platform, sql: Sql) -> None:
    run_import()
    platform.owner.execute(
        "INSERT INTO users (id, first_name, password_hash, created_at, updated_at)"
        " VALUES (2, 'Restored', 'x', '2025-01-01', '2025-01-01')"
    )

    assert "stored" not in run_import(compare=False)["person"]
    assert run_import()["person"]["stored"] == 1
    assert sql("SELECT first_name FROM users WHERE id = 2") == [("Restored",)]


def test_a_row_of_the_future_hides_no_change(run_import: Import, platform: Platform, sql: Sql) -> None:
    """A clock was wrong once, there or where an older release has stored how far it had read."""
    platform.owner.execute("UPDATE schedules SET updated_at = '2090-01-01' WHERE id = 302")
    run_import()
    sql("UPDATE platform_pulls SET changed_at = '2090-01-01T00:00:00' WHERE kind = 'request'")
    platform.owner.execute("UPDATE schedules SET title = 'Moved', updated_at = '2026-10-30 17:00' WHERE id = 301")
    platform.owner.execute("UPDATE requested_sessions SET message = 'Soon', updated_at = '2026-10-30' WHERE id = 53")

    counts = run_import(compare=False)

    assert (counts["entry"]["stored"], counts["request"]["stored"]) == (1, 1)
    assert sql("SELECT count(*) FROM timetable_entries WHERE title = 'Moved'") == [(1,)]
    assert sql("SELECT count(*) FROM session_requests WHERE message = 'Soon'") == [(1,)]


def test_a_rehearsal_changes_nothing(database: Database, run_import: Import, sql: Sql) -> None:
    with rolled_back(database) as transactions:
        counts = run_import(transactions=transactions)

    assert counts["person"] == {"read": 11, "stored": 11}
    tables = ("users", "tutor_student_bookings", "platform_links", "platform_refusals", "platform_pulls")
    assert not any(stored(sql, *tables).values())


def test_two_imports_at_once(run_import: Import, platform: Platform, sql: Sql) -> None:
    connections = [PlatformConnection(platform.url) for _ in range(3)]
    threads = [threading.Thread(target=run_import, kwargs={"connection": each}) for each in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for connection in connections:
        connection.close()

    assert sql("SELECT count(*) FROM tutor_student_bookings") == [(7,)]
    assert sql("SELECT count(*) FROM users") == [(11,)]


def test_a_row_that_the_database_refuses_stops_no_other(run_import: Import, refusals: Refusals, sql: Sql) -> None:
    sql("ALTER TABLE tutor_student_bookings ADD CONSTRAINT ck_no_such_price CHECK (price_per_session <> 280)")

    counts = run_import()

    assert counts["enrolment"] == {"read": 5, "stored": 4, "refused": 1}
    assert refusals("enrolment")[72] == "one of its values is not allowed here"
    sql("ALTER TABLE tutor_student_bookings DROP CONSTRAINT ck_no_such_price")
    assert run_import()["enrolment"] == {"read": 5, "stored": 1}
    assert refusals("enrolment") == {}


def test_an_outage_loses_nothing(run_import: Import, platform: Platform, sql: Sql) -> None:
    run_import()
    away = PlatformConnection("postgresql://reader@127.0.0.1:1/platform")
    with pytest.raises(Unavailable):
        run_import(connection=away)
    away.close()
    platform.owner.execute("UPDATE users SET first_name = 'Selam', updated_at = '2026-10-30 17:03:45' WHERE id = 14")

    run_import(compare=False)

    assert sql("SELECT first_name FROM users WHERE id = 14") == [("Selam",)]


def test_a_state_without_enrolments(run_import: Import, platform: Platform) -> None:
    platform.owner.execute("DROP TABLE enrolled_students")

    assert run_import()["enrolment"] == {"waits": 1}


def test_most_rows_gone_at_once_are_not_believed(run_import: Import, refusals: Refusals, platform: Platform) -> None:
    """A restored or another database, rather than something that people did."""
    few = PullLimits(deletes=3)
    run_import()
    platform.owner.execute("DELETE FROM requested_sessions WHERE id <> 51")

    assert "removed" not in run_import(limits=few)["request"]
    assert refusals("request")[0] == "6 of 7 rows have gone at once, and nothing was removed here"

    assert run_import(accept_deletes=True, limits=few)["request"]["removed"] == 7  # a refused one, too
    assert refusals("request") == {}


def test_rows_that_arrive_while_ids_are_compared_are_kept(run_import: Import, platform: Platform, sql: Sql) -> None:
    """Ids were read before another import stored a row that came after them."""
    run_import()
    with noted_connection(platform.url) as connection:

        def import_another(statement: str) -> None:
            if statement.startswith('SELECT "users"."id" AS id FROM "users"') and len(sql(new)) == 0:
                platform.owner.execute("INSERT INTO users (id, first_name, password_hash) VALUES (30, 'New', 'x')")
                run_import()

        new = "SELECT id FROM users WHERE id = 30 AND is_active"
        connection.afterwards = import_another

        counts = run_import(connection=connection)

    assert not any("removed" in kind for kind in counts.values())
    assert sql(new) == [(30,)]
