"""Whiteboard sessions and pages: both sides of a call are one board, led by its tutor."""

from datetime import datetime
from typing import Any

from tests.conftest import Platform, Sql
from tests.workflows.platform_import.conftest import Import, Refusals, stored

_TABLES = ("whiteboard_sessions", "whiteboard_pages", "platform_links")


def _boards(sql: Sql) -> dict[int, Any]:
    """Boards by the platform's ids; those of a pair name the same."""
    rows = {row.id: row for row in sql("SELECT * FROM whiteboard_sessions")}
    links = sql("SELECT platform_id, id FROM platform_links WHERE kind = 'board'")
    return {link.platform_id: rows[link.id] for link in links}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_twins_are_one_board_led_by_the_tutor(run_import: Import, refusals: Refusals, sql: Sql, expected: Any) -> None:
    run_import()
    boards = _boards(sql)

    assert len({row.id for row in boards.values()}) == expected["board_sessions"]
    assert refusals("board") == refusals("board_page") == {}
    for first, second in expected["board_twins"]:
        assert boards[first].id == boards[second].id
    for alone in expected["board_sessions_without_a_twin"]:
        assert [row.id for row in boards.values()].count(boards[alone].id) == 1
    for platform_id, lead in expected["board_leads"].items():
        board = boards[int(platform_id)]
        assert [board.host_profile_type, board.host_profile_id] == lead
    assert (boards[101].participant_profile_types, boards[101].participant_profile_ids) == (["student"], [11])
    # The student called first, then the tutor.
    assert [(boards[each].opener_profile_type, boards[each].opener_profile_id) for each in (101, 104)] == [
        ("student", 11),
        ("tutor", 14),
    ]
    # The leader's own words.
    assert boards[101].session_title == "Session with student"
    for platform_id, created_at in expected["board_created_at"].items():
        assert boards[int(platform_id)].created_at == _instant(created_at)


def test_when_boards_ran(run_import: Import, sql: Sql, expected: Any) -> None:
    """One that is in progress there for ever began when it was made; our own job closes it."""
    run_import()
    boards = _boards(sql)

    assert [boards[107].actual_start, boards[107].actual_end] == [_instant(at) for at in expected["board_107_ran"]]
    assert boards[107].status == "completed"
    assert (boards[101].status, boards[101].actual_start) == ("in_progress", boards[101].created_at)


def test_pages_are_joined_by_their_number(run_import: Import, sql: Sql, expected: Any) -> None:
    run_import()
    boards, links = _boards(sql), dict(sql("SELECT platform_id, id FROM platform_links WHERE kind = 'board_page'"))
    pages = {row.id: row for row in sql("SELECT * FROM whiteboard_pages")}

    assert len(pages) == expected["board_pages"]
    assert links[121] == links[122]
    assert pages[links[121]].page_title == "Page 1 - Session with student"
    assert [pages[links[number]].is_active for number in (121, 127, 128)] == [True, False, True]
    assert (pages[links[128]].page_number, pages[links[128]].background_color) == (2, "#F0F4FF")
    assert {row.session_id for row in pages.values()} == {row.id for row in boards.values()}


def test_a_second_import_changes_nothing(run_import: Import, sql: Sql) -> None:
    run_import()
    before = stored(sql, *_TABLES)

    counts = run_import()

    assert counts["board"].keys() | counts["board_page"].keys() <= {"read"}
    assert stored(sql, *_TABLES) == before


def test_without_a_proven_zone_boards_wait(run_import: Import, sql: Sql) -> None:
    counts = run_import(None)

    assert counts["board"] == counts["board_page"] == {"waits": 1}
    assert _boards(sql) == {}


def test_a_side_that_comes_later_joins(run_import: Import, platform: Platform, sql: Sql) -> None:
    platform.owner.execute("CREATE TABLE later AS SELECT * FROM whiteboard_sessions WHERE id = 102")
    platform.owner.execute("DELETE FROM whiteboard_sessions WHERE id = 102")
    run_import()
    board = _boards(sql)[101]
    platform.owner.execute("INSERT INTO whiteboard_sessions SELECT * FROM later")

    run_import()

    boards = _boards(sql)
    assert boards[101].id == boards[102].id == board.id
    assert boards[101].session_title == "Session with student"


def test_a_board_that_has_ended_here_stays_so(run_import: Import, platform: Platform, sql: Sql) -> None:
    run_import()
    board = _boards(sql)[101]
    sql(f"UPDATE whiteboard_sessions SET status = 'completed', actual_end = now() WHERE id = {board.id}")  # noqa: S608
    platform.owner.execute("UPDATE whiteboard_sessions SET session_title = 'Fractions', updated_at = now()")

    run_import()

    assert (_boards(sql)[101].status, _boards(sql)[101].session_title) == ("completed", "Fractions")


def test_what_the_platform_deletes_stays(run_import: Import, platform: Platform, sql: Sql) -> None:
    run_import()
    before = stored(sql, "whiteboard_sessions", "whiteboard_pages")
    platform.owner.execute("DELETE FROM whiteboard_sessions WHERE id = 105")

    assert run_import()["board"]["removed"] == 1
    assert stored(sql, "whiteboard_sessions", "whiteboard_pages") == before


def test_people_without_an_account_are_left_out(
    run_import: Import, platform: Platform, refusals: Refusals, sql: Sql
) -> None:
    platform.owner.execute("UPDATE whiteboard_sessions SET participant_profile_ids = '{22}' WHERE id = 105")
    platform.owner.execute("UPDATE whiteboard_sessions SET host_profile_id = 99 WHERE id = 107")
    platform.owner.execute("UPDATE whiteboard_sessions SET status = 'paused' WHERE id = 103")

    run_import()

    boards = _boards_and_refused(sql)
    assert boards[105].participant_profile_ids == []
    assert "tutor 99 is no profile with a user" in refusals("board")[107]
    assert refusals("board_page")[127] == "whiteboard session 107 was not taken"
    notes = sql("SELECT platform_id, code FROM platform_refusals WHERE NOT is_refused AND kind = 'board' ORDER BY 1")
    assert notes == [(103, "unknown-status"), (105, "people-left-out")]


def _boards_and_refused(sql: Sql) -> dict[int, Any]:
    rows = {row.id: row for row in sql("SELECT * FROM whiteboard_sessions")}
    return {
        link.platform_id: rows.get(link.id)
        for link in sql("SELECT platform_id, id FROM platform_links WHERE kind = 'board'")
    }


def test_a_board_of_an_older_release_gets_its_opener(run_import: Import, sql: Sql) -> None:
    """Nothing has changed there: the version of the conversion alone has all rows stored again."""
    openers = "SELECT id, opener_profile_type, opener_profile_id FROM whiteboard_sessions ORDER BY id"
    run_import()
    before = sql(openers)
    assert any(row.opener_profile_id is not None for row in before)
    sql("UPDATE whiteboard_sessions SET opener_profile_id = NULL, opener_profile_type = NULL")
    # As the older release wrote them.
    sql("UPDATE platform_links SET digest = '\\x00' WHERE kind = 'board'")
    sql("UPDATE platform_pulls SET signature = 'old' WHERE kind = 'board'")

    run_import(compare=False)

    assert sql(openers) == before
