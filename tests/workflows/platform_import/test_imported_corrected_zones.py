"""A zone that was wrong: the next pull corrects the times of everything that was imported before, and nothing else."""

from datetime import timedelta
from typing import Any

from tests.conftest import Sql
from tests.workflows.platform_import.conftest import BERLIN, Import
from worker.platform.zone import ServerZone

# Later and earlier than the right one.
_WRONG = (ServerZone("America/New_York"), ServerZone("Asia/Tokyo"))
_TIMES = {
    "tutor_student_bookings": "created_at",
    "session_requests": "created_at, responded_at",
    "tutor_schedules": "created_at",
    "timetable_entries": "created_at, updated_at",
    "whiteboard_sessions": "created_at, scheduled_start, scheduled_end, actual_start, actual_end",
    "whiteboard_pages": "created_at",
    "whiteboard_canvas_data": "created_at, deleted_at, stroke_order",
    "whiteboard_session_recordings": "created_at, recording_date",
}
_BOARD = "SELECT id FROM platform_links WHERE kind = 'board' AND platform_id = :id"
_EVENT = (
    "INSERT INTO whiteboard_events (session_id, kind, profile_id, profile_type)"
    " VALUES (:session, :kind, :profile, :type)"
)


def _times(sql: Sql) -> dict[str, list[Any]]:
    return {
        table: sql(f"SELECT {columns}, id FROM {table} ORDER BY id")  # noqa: S608 - words of this file
        for table, columns in _TIMES.items()
    }


def _board(sql: Sql, platform_id: int) -> int:
    [(board_id,)] = sql(_BOARD, id=platform_id)
    return int(board_id)


def test_a_pull_corrects_the_times_of_all_kinds(run_import: Import, sql: Sql) -> None:
    run_import()
    right = _times(sql)
    for zone in _WRONG:
        run_import(zone, compare=False)
        wrong = _times(sql)
        for table in _TIMES:
            assert all(a.created_at != b.created_at for a, b in zip(right[table], wrong[table], strict=True)), table

        run_import(compare=False)

        assert _times(sql) == right


def test_strokes_are_renumbered_between_those_of_here(run_import: Import, sql: Sql) -> None:
    run_import(_WRONG[0])
    board = _board(sql, 101)
    strokes = "SELECT id, created_at, stroke_order FROM whiteboard_canvas_data WHERE session_id = :id ORDER BY id"
    last = max(sql(strokes, id=board), key=lambda row: row.created_at)
    # Before all of them in the wrong zone, after all of them in the right one.
    sql(
        "INSERT INTO whiteboard_canvas_data (page_id, session_id, client_id, stroke_type, stroke_data, stroke_order,"
        " created_at) SELECT page_id, session_id, 'here', stroke_type, stroke_data, 1000, :at"
        " FROM whiteboard_canvas_data WHERE id = :id",
        id=last.id,
        at=last.created_at - timedelta(hours=3),
    )

    run_import(compare=False)

    by_time = "SELECT client_id FROM whiteboard_canvas_data WHERE session_id = :id AND page_id = :page ORDER BY"
    [(page,)] = sql("SELECT page_id FROM whiteboard_canvas_data WHERE id = :id", id=last.id)
    numbered = sql(f"{by_time} stroke_order", id=board, page=page)
    assert numbered == sql(f"{by_time} created_at, stroke_order", id=board, page=page)
    assert numbered[-1] == ("here",)


def test_what_happened_here_keeps_its_time(run_import: Import, sql: Sql) -> None:
    """A person has started and ended the board here; another one was closed when nothing happened any more."""
    run_import(_WRONG[0])
    ended, closed = _board(sql, 107), _board(sql, 101)
    for kind in ("start", "end"):
        sql(_EVENT, session=ended, kind=kind, profile=14, type="tutor")
    last = "SELECT max(created_at) AS at FROM whiteboard_canvas_data WHERE session_id = :id"
    sql(_EVENT, session=closed, kind="end", profile=None, type=None)
    sql(
        f"UPDATE whiteboard_sessions SET status = 'completed', actual_end = ({last}) WHERE id = :id",  # noqa: S608
        id=closed,
    )
    ran = "SELECT actual_start, actual_end FROM whiteboard_sessions WHERE id = :id"
    before = {board: sql(ran, id=board) for board in (ended, closed)}

    run_import(compare=False)

    assert sql(ran, id=ended) == before[ended]
    assert sql(ran, id=closed) != before[closed]
    assert sql(ran, id=closed)[0].actual_end == sql(last, id=closed)[0].at


def test_another_zone_of_lessons_is_read_again(run_import: Import, sql: Sql) -> None:
    tables = {
        "tutor_schedules": "timezone, starts_at, ends_at",
        "timetable_entries": "timezone, start_time",
        "session_requests": "schedule ->> 'timezone' AS timezone",
    }

    def read() -> dict[str, list[Any]]:
        return {table: sql(f"SELECT {columns} FROM {table} ORDER BY id") for table, columns in tables.items()}  # noqa: S608

    run_import()
    right = read()
    run_import(timezone="UTC", compare=False)
    wrong = read()
    assert {row.timezone for rows in wrong.values() for row in rows} <= {"UTC", None}
    assert wrong["tutor_schedules"][0].starts_at - right["tutor_schedules"][0].starts_at == timedelta(hours=3)

    run_import(BERLIN, compare=False)

    assert read() == right
