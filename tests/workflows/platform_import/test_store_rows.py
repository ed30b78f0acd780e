"""Rows that the platform can store and we cannot: each is reported and stops no other."""

import pytest

from tests.conftest import Platform, Sql
from tests.workflows.platform_import.conftest import Import, Refusals

_AT_NIGHT = "start_time = '00:30', end_time = '01:00'"


@pytest.mark.parametrize(
    ("change", "kind", "platform_id", "reason"),
    [
        ("sessions SET session_date = '20266-03-01'", "lesson", 81, "Its date or a time of day is missing"),
        ("sessions SET session_date = '0044-03-15 BC'", "lesson", 81, "Its date or a time of day is missing"),
        ("sessions SET end_time = '24:00'", "lesson", 81, "Its date or a time of day is missing"),
        (f"sessions SET session_date = '0001-01-01', {_AT_NIGHT}", "lesson", 81, "is too far away"),
        ("sessions SET session_date = '9999-12-31', start_time = '23:30'", "lesson", 81, "date value out of range"),
        ("schedules SET end_time = '24:00'", "entry", 301, "a value is missing that is needed here (end_time)"),
        ("enrolled_courses SET students_id = '{{11,12},{13,14}}'", "group", 61, "unhashable type"),
    ],
)
def test_a_row_that_cannot_be_read_stops_no_other(
    run_import: Import, platform: Platform, refusals: Refusals, change: str, kind: str, platform_id: int, reason: str
) -> None:
    platform.owner.execute(f"UPDATE {change} WHERE id = {platform_id}".encode())

    first, second = run_import(), run_import()

    assert reason in refusals(kind)[platform_id]
    # The last of the kinds.
    assert first["recording"]["stored"] == 2
    assert not any("stored" in counts for counts in second.values())


@pytest.mark.parametrize(
    ("change", "kind", "platform_id"),
    [
        ("users SET created_at = 'infinity', updated_at = 'infinity'", "person", 11),
        ("student_profiles SET parent_id = array_append(parent_id, NULL)", "person", 13),
        ("whiteboard_sessions SET scheduled_end = 'infinity'", "board", 103),
        ("whiteboard_sessions SET student_permissions = (repeat('[', 4000) || repeat(']', 4000))::jsonb", "board", 103),
        ("whiteboard_session_recordings SET recording_date = '-infinity'", "recording", 151),
        ("enrolled_courses SET course_id = '{NULL}'", "group", 61),
        ("tutor_packages SET session_duration = 'NaN'", "enrolment", 71),
        ("requested_sessions SET year_range = '2026', months = '5', days = 'true'", "request", 53),
        ("""requested_sessions SET year_range = '["፩", {"from": 1}]'""", "request", 53),
        ("""requested_sessions SET specific_dates = '[{"day": 1}]', schedule_type = 'specific'""", "request", 53),
        (r"""sessions SET topics = '["half of \ud83d", "none of \u0000"]'""", "lesson", 81),
    ],
)
def test_what_cannot_be_read_of_a_row_is_left_out(
    run_import: Import, platform: Platform, refusals: Refusals, sql: Sql, change: str, kind: str, platform_id: int
) -> None:
    where = f"id = {platform_id if not change.startswith('tutor_packages') else 31}"
    platform.owner.execute(f"UPDATE {change} WHERE {where}".encode())

    counts = run_import()

    assert platform_id not in refusals(kind)
    assert sql(
        "SELECT count(*) FROM platform_links WHERE kind = :kind AND platform_id = :id", kind=kind, id=platform_id
    ) == [(1,)]
    assert counts["recording"]["stored"] == 2
    assert not any("stored" in each for each in run_import().values())


def test_texts_that_no_text_can_hold(run_import: Import, platform: Platform, sql: Sql) -> None:
    platform.owner.execute(rb"""UPDATE sessions SET topics = '["half of \ud83d", "none of \u0000"]' WHERE id = 81""")
    run_import()

    [(notes,)] = sql(
        "SELECT notes FROM tutor_schedules JOIN platform_links USING (id) WHERE kind = 'lesson' AND platform_id = 81"
    )
    assert notes == "half of ?\nnone of "
