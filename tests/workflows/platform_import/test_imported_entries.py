"""Personal timetables: whose they are, when they occur, their alarms, and what is reported."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from models.timetable import TimetableEntry
from tests.conftest import Platform, Sql
from tests.workflows.platform_import.conftest import Import, Refusals, stored
from worker.database import Database
from worker.schedules.timetable.form import next_occurrence, occurrences
from worker.workflows.lessons.plan_timetable import plan_due_entries

LONG_AGO, FAR = datetime(2020, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)


@pytest.fixture
def entries(database: Database, sql: Sql) -> Any:
    """`entries()`: the imported entries by platform id."""

    def read() -> dict[int, TimetableEntry]:
        with database.transaction() as session:
            by_id = {entry.id: entry for entry in session.scalars(select(TimetableEntry))}
        links = sql("SELECT platform_id, id FROM platform_links WHERE kind = 'entry' AND id IS NOT NULL ORDER BY 1")
        assert len(by_id) == len(links)
        return {link.platform_id: by_id[link.id] for link in links}

    return read


def notes(sql: Sql) -> dict[str, list[int]]:
    """Platform ids by code of what was taken and reported all the same."""
    codes: dict[str, list[int]] = {}
    for row in sql("SELECT code, platform_id FROM platform_refusals WHERE kind = 'entry' ORDER BY 1, 2"):
        codes.setdefault(row.code, []).append(row.platform_id)
    return codes


def text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def test_whose_they_are(run_import: Import, refusals: Refusals, entries: Any, sql: Sql, expected: Any) -> None:
    run_import()
    owners = {str(platform_id): entry.user_id for platform_id, entry in entries().items()}

    assert len(owners) == expected["timetable_entries"]
    assert owners == expected["timetable_belongs_to_user"]
    assert refusals("entry") == {}
    by_profile = [number for number, entry in entries().items() if number in (308, 309) and entry.role == "tutor"]
    assert by_profile == expected["timetable_by_profile_id"]
    assert notes(sql) == {
        "ambiguous-owner": expected["timetable_undecidable_taken_as_users_id"],
        "says-nothing": expected["timetable_says_nothing"],
    }


def test_when_they_occur(run_import: Import, entries: Any, expected: Any) -> None:
    run_import()
    of = entries()
    for number, times in expected["timetable_first"].items():
        first = next_occurrence(of[int(number)], LONG_AGO)
        assert first is not None
        assert [text(moment) for moment in first] == times, number
    goes_on = next_occurrence(of[301], datetime(2027, 1, 1, tzinfo=UTC))
    assert goes_on is not None
    assert text(goes_on.starts_at) == expected["timetable_301_goes_on"]
    lab = occurrences(of[304], LONG_AGO, FAR)
    assert [text(occurrence.starts_at) for occurrence in lab] == expected["timetable_304_dates"]
    for number in expected["timetable_says_nothing"]:
        assert next_occurrence(of[number], LONG_AGO) is None


def test_what_rings(run_import: Import, entries: Any, expected: Any) -> None:
    run_import()
    alarms = Counter(entry.role for entry in entries().values() if entry.alarm_enabled)
    assert alarms == expected["timetable_alarms_on"]
    quiet = entries()[307]
    # Off, although the minutes are there.
    assert (quiet.alarm_enabled, quiet.alarm_before_minutes) == (False, 15)
    assert entries()[310].status == "draft"


def test_the_import_sends_nothing_and_alarms_ring(
    run_import: Import, database: Database, sql: Sql, expected: Any
) -> None:
    run_import()
    count = "SELECT count(*) FROM deliveries WHERE kind = 'entry-reminder'"
    assert sql(count) == [(expected["mails_sent_by_the_import"],)]
    # What beat does within a minute. The mock exam of somebody without an e-mail is near, as is the office hour.
    with database.transaction() as session:
        plan_due_entries(session, now=datetime(2029, 2, 3, 5, 30, tzinfo=UTC), most=100)
    reminders = sql("SELECT user_id, minutes_before, channel FROM deliveries WHERE entry_id IS NOT NULL ORDER BY 3")
    assert reminders == [(16, 15, "email"), (16, 15, "in_app")]


def test_when_they_were_written(run_import: Import, entries: Any) -> None:
    assert run_import(server_zone=None)["entry"] == {"waits": 1}
    run_import()
    assert text(entries()[304].created_at) == "2026-10-01T16:00:00Z"
    assert text(entries()[304].updated_at) == "2026-10-03T16:00:00Z"
    # After the change of clocks.
    assert text(entries()[311].created_at) == "2026-10-28T17:00:00Z"


def test_a_second_import_changes_nothing(run_import: Import, sql: Sql) -> None:
    run_import()
    before = stored(sql, "timetable_entries", "platform_links")
    assert run_import()["entry"].keys() <= {"read"}
    assert stored(sql, "timetable_entries", "platform_links") == before


def test_changes_and_deletes_there(run_import: Import, platform: Platform, entries: Any, sql: Sql) -> None:
    run_import()
    ids = {number: entry.id for number, entry in entries().items()}
    sql("UPDATE timetable_entries SET planned_at = now()")
    platform.owner.execute(
        "UPDATE schedules SET title = 'Evening group', alarm_enabled = false, updated_at = now() WHERE id = 301;"
        " DELETE FROM schedules WHERE id = 302"
    )
    run_import()
    entry = entries()[301]
    assert (entry.id, entry.title, entry.alarm_enabled) == (ids[301], "Evening group", False)
    # Beat takes its reminders back.
    assert (entry.sequence, entry.planned_at) == (1, None)
    assert 302 not in entries()
    assert sql("SELECT count(*) FROM timetable_entries WHERE planned_at IS NULL") == [(1,)]


def test_what_was_deleted_here_comes_back_with_the_next_change_there(
    run_import: Import, platform: Platform, entries: Any, sql: Sql
) -> None:
    run_import()
    sql("DELETE FROM timetable_entries WHERE id = :id", id=entries_id(sql, 301))
    run_import()
    assert sql("SELECT count(*) FROM timetable_entries") == [(11,)]
    platform.owner.execute("UPDATE schedules SET title = 'Again', updated_at = now() WHERE id = 301")
    run_import()
    assert entries()[301].title == "Again"


def entries_id(sql: Sql, platform_id: int) -> int:
    ((entry_id,),) = sql(
        "SELECT id FROM platform_links WHERE kind = 'entry' AND platform_id = :platform_id", platform_id=platform_id
    )
    return int(entry_id)


def test_words_and_numbers_that_mean_nothing(
    run_import: Import, platform: Platform, refusals: Refusals, entries: Any, sql: Sql
) -> None:
    platform.owner.execute(
        """
        ALTER TABLE schedules DROP CONSTRAINT schedules_scheduler_id_fkey;
        INSERT INTO schedules (id, scheduler_id, scheduler_role, title, year, schedule_type, months, days,
                               specific_dates, start_time, end_time, priority_level, status, alarm_enabled,
                               alarm_before_minutes)
        VALUES (401, 11, 'tutor', 'a', 2026, 'recurring', '{}', '{Monday, " Thursday"}', '{}', '9:00', '10:00',
                'huge', 'paused', true, -5),
               (402, 11, 'advertiser', 'b', 2026, 'Flexible', '{}', '{Monday}', '{}', '9:00', '10:00', NULL, NULL,
                true, NULL),
               (403, 11, 'student', 'c', 2026, 'recurring', '{}', '{Someday}', '{}', '9:00', '10:00', NULL, NULL,
                NULL, NULL),
               (404, 77, 'student', 'd', 2026, 'recurring', '{}', '{Monday}', '{}', '9:00', '10:00', NULL, NULL, NULL,
                NULL),
               (405, 11, 'student', 'e', 9999, 'recurring', '{}', '{Monday}', '{}', '9:00', '10:00', NULL, NULL, NULL,
                NULL),
               (406, 77, 'tutor', 'f', 2026, NULL, '{}', '{Monday}', '{}', '9:00', '10:00', NULL, NULL, NULL, NULL)
        """
    )
    run_import()
    of = entries()
    assert (of[401].days, of[401].priority_level, of[401].status) == (["Monday", "Thursday"], "medium", "draft")
    assert of[401].alarm_before_minutes == of[402].alarm_before_minutes == 15
    assert (of[402].role, of[402].days, of[402].status) == (None, [], "active")
    assert of[403].days == []
    assert refusals("entry") == {
        404: "scheduler 77 is nobody's number in the role student",
        405: "year 9999 is not between 2000 and 2100",
        406: "scheduler 77 is nobody's number in the role tutor",
    }
    reports = notes(sql)
    assert reports["unknown-status"] == reports["unknown-priority"] == reports["invalid-alarm"] == [401]
    assert (reports["unknown-role"], reports["unreadable-days"]) == ([402], [403])
    assert reports["says-nothing"] == [303, 305, 402]
