"""Rows of recordings: no file is behind one, so each says why it cannot be played, and keeps its board."""

from datetime import datetime
from typing import Any

from tests.conftest import Platform, Sql
from tests.workflows.platform_import.conftest import Import, Refusals, stored


def _recordings(sql: Sql) -> dict[int, Any]:
    rows = {row.id: row for row in sql("SELECT * FROM whiteboard_session_recordings")}
    links = sql("SELECT platform_id, id FROM platform_links WHERE kind = 'recording'")
    return {link.platform_id: rows[link.id] for link in links}


def test_recordings_without_a_file(run_import: Import, refusals: Refusals, sql: Sql, expected: Any) -> None:
    expectation = expected["recordings"]
    run_import()
    recordings = _recordings(sql)

    assert len(recordings) == expectation["rows"]
    assert [row for row in recordings.values() if row.is_available or row.is_processing] == []
    assert {str(number): row.recording_type for number, row in recordings.items()} == expectation["types"]
    assert {str(number): row.recorded_by for number, row in recordings.items()} == expectation["recorded_by"]
    for number, at in expectation["recording_date"].items():
        assert recordings[int(number)].recording_date == datetime.fromisoformat(at)
    assert refusals("recording") == {}
    assert recordings[151].error["code"] == "no-file"
    assert "it was downloaded where it was made" in recordings[151].error["detail"]
    assert [row.has_recordings for row in sql("SELECT has_recordings FROM whiteboard_sessions")] == [False] * 6


def test_the_board_of_a_recording_is_kept(run_import: Import, sql: Sql) -> None:
    run_import()
    recordings = _recordings(sql)

    pages = recordings[152].board_snapshot["pages"]
    assert [len(page["strokes"]) for page in pages] == [1, 1]
    assert pages[0]["strokes"][0]["stroke_data"]["points"] == [[5, 6], [19, 31]]
    # A page of nulls, which is an empty one.
    assert pages[1]["strokes"][0]["stroke_type"] is None
    assert recordings[152].duration_seconds is None


def test_a_second_import_changes_nothing(run_import: Import, sql: Sql) -> None:
    run_import()
    before = stored(sql, "whiteboard_session_recordings", "platform_links")

    counts = run_import()

    assert counts["recording"].keys() <= {"read"}
    assert stored(sql, "whiteboard_session_recordings", "platform_links") == before


def test_words_and_files_that_nobody_knows(run_import: Import, platform: Platform, sql: Sql) -> None:
    platform.owner.execute(
        "UPDATE whiteboard_session_recordings SET recording_type = 'hologram', duration_seconds = -3,"
        " file_url = '/uploads/a.webm', recording_metadata = '[1]', board_snapshot = NULL WHERE id = 151"
    )

    run_import()

    row = _recordings(sql)[151]
    assert (row.recording_type, row.duration_seconds, row.recorded_by) == ("video", None, None)
    assert (row.board_snapshot, row.recording_metadata["platform_file_url"]) == (None, "/uploads/a.webm")
    assert "/uploads/a.webm" in row.error["detail"]
    assert sql("SELECT code FROM platform_refusals WHERE kind = 'recording'") == [("unknown-type",)]


def test_a_row_that_is_deleted_there_goes(run_import: Import, platform: Platform, sql: Sql) -> None:
    run_import()
    platform.owner.execute("DELETE FROM whiteboard_session_recordings WHERE id = 151")

    assert run_import()["recording"]["removed"] == 1
    assert _recordings(sql).keys() == {152}
    assert len(sql("SELECT FROM whiteboard_session_recordings")) == 1
