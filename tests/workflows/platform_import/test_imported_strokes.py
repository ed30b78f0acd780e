"""Strokes: of both sides of a call in the order of their times, each once, also beside those that a page sends here."""

import json
from datetime import datetime
from typing import Any

import pytest

from tests.conftest import Platform, Sql
from tests.workflows.platform_import.conftest import Import, Refusals, stored
from worker.whiteboards.stroke_validation import NewStroke, accepted_stroke
from worker.workflows.platform_import.boards.plain_lines import is_plain_line

_TABLES = ("whiteboard_canvas_data", "whiteboard_pages", "whiteboard_sessions", "platform_links")


def _strokes(sql: Sql) -> dict[int, Any]:
    rows = sql("SELECT * FROM whiteboard_canvas_data WHERE client_id LIKE 'platform-%' ORDER BY page_id, stroke_order")
    return {int(row.client_id.removeprefix("platform-")): row for row in rows}


def _board_id(sql: Sql, platform_id: int) -> int:
    [(board_id,)] = sql("SELECT id FROM platform_links WHERE kind = 'board' AND platform_id = :id", id=platform_id)
    return int(board_id)


def _order(sql: Sql, platform_board: int) -> list[int]:
    board_id = _board_id(sql, platform_board)
    return [number for number, row in _strokes(sql).items() if row.session_id == board_id]


def test_strokes_are_numbered_by_time_over_both_sides(
    run_import: Import, refusals: Refusals, sql: Sql, expected: Any
) -> None:
    run_import()
    strokes = _strokes(sql)

    assert len(strokes) == expected["strokes"]
    assert refusals("stroke") == {}
    for platform_board, order in expected["stroke_order"].items():
        assert _order(sql, int(platform_board)) == order
        assert [strokes[number].stroke_order for number in order] == list(range(1, len(order) + 1))


def test_what_a_stroke_says(run_import: Import, sql: Sql, expected: Any) -> None:
    run_import()
    strokes = _strokes(sql)

    for number, at in expected["stroke_created_at"].items():
        assert strokes[int(number)].created_at == datetime.fromisoformat(at)
    assert [number for number, row in strokes.items() if row.is_deleted] == expected["strokes_deleted"]
    assert [number for number, row in strokes.items() if row.profile_id is None] == expected["strokes_without_profile"]
    assert (strokes[205].user_id, strokes[205].profile_type, strokes[205].profile_id) == (12, "student", 11)
    assert strokes[204].stroke_data["text"] == "ሦስት ማዕዘን ፫"
    sizes = sql("SELECT sum(stroke_bytes) AS bytes FROM whiteboard_pages")
    assert sizes[0].bytes > 1000


def test_a_second_import_changes_nothing(run_import: Import, sql: Sql) -> None:
    run_import()
    before = stored(sql, *_TABLES)

    counts = run_import()

    assert counts["stroke"].keys() <= {"read"}
    assert stored(sql, *_TABLES) == before


def _draw(platform: Platform, number: int, page: int, at: str, **more: Any) -> None:
    """A stroke of the tutor's on the board of 101 and 102."""
    session, user, profile = {121: (101, 12, 11), 122: (102, 11, 14)}[page]
    values = {"stroke_type": "pen", "stroke_data": {"points": [[number, 2], [30, 4]], "width": 3}} | more
    platform.owner.execute(
        "INSERT INTO whiteboard_canvas_data (id, page_id, session_id, user_id, stroke_type, stroke_data, stroke_order,"
        " created_at, profile_id, profile_type) VALUES (%s, %s, %s, %s, %s, %s, 99, %s, %s, %s)",
        (
            *(number, page, session, user, values["stroke_type"], json.dumps(values["stroke_data"]), at, profile),
            "tutor" if user == 11 else "student",
        ),
    )


def _join(sql: Sql, board_id: int, at: str) -> None:
    """The tutor's page joins here."""
    sql(
        "INSERT INTO whiteboard_events (session_id, kind, profile_id, profile_type, at)"
        " VALUES (:id, 'join', 14, 'tutor', CAST(:at AS timestamptz))",
        id=board_id,
        at=at,
    )


def test_a_stroke_that_arrives_late_takes_its_place(run_import: Import, platform: Platform, sql: Sql) -> None:
    run_import()
    _draw(platform, 301, 121, "2026-10-20 16:03:30")

    assert run_import(compare=False)["stroke"]["stored"] == 1
    assert _order(sql, 101)[:4] == [201, 202, 301, 203]
    assert [row.stroke_order for row in _strokes(sql).values() if row.session_id == _board_id(sql, 101)] == [
        *range(1, 14)
    ]


def test_what_cannot_be_drawn_is_reported(run_import: Import, platform: Platform, refusals: Refusals, sql: Sql) -> None:
    _draw(platform, 301, 122, "2026-10-20 16:09", stroke_type="hologram")
    _draw(platform, 302, 122, "2026-10-20 16:10", stroke_data=[1, 2])
    _draw(platform, 303, 122, "2026-10-20 16:11", stroke_data={"width": 3})
    deep = json.loads("[" * 300 + "]" * 300)
    _draw(platform, 304, 122, "2026-10-20 16:12", stroke_data={"points": [[1, 2], [3, 4]], "more": deep})

    run_import()

    assert refusals("stroke") == {
        301: "a stroke of type 'hologram'",
        302: "stroke_data is not an object",
        303: "Stroke platform-303: stroke_data has no points.",
        304: "Stroke platform-304: stroke_data is nested deeper than 6.",
    }
    assert len(_order(sql, 101)) == 12


def test_who_has_joined_here_sends_their_strokes_themselves(run_import: Import, platform: Platform, sql: Sql) -> None:
    """Those of the other side, whose page has no script yet, come from the platform."""
    run_import()
    board_id = _board_id(sql, 101)
    _join(sql, board_id, "2026-10-20 14:30+00")
    _draw(platform, 301, 122, "2026-10-20 16:31")
    _draw(platform, 302, 121, "2026-10-20 16:32")

    run_import()

    assert _order(sql, 101)[12:] == [302]
    # Noted as read: the next pull leaves it out, too.
    assert run_import()["stroke"].get("stored", 0) == 0


def test_a_stroke_that_was_sent_here_as_well_is_the_same(run_import: Import, platform: Platform, sql: Sql) -> None:
    """It was drawn before its page had joined here, and undone since."""
    run_import()
    board_id = _board_id(sql, 101)
    data = {"points": [[301, 2], [30, 4]], "width": 3}
    _join(sql, board_id, "2026-10-20 15:30+00")
    sql(
        "INSERT INTO whiteboard_canvas_data (page_id, session_id, user_id, stroke_type, stroke_data, stroke_order,"
        " client_id, is_deleted, deleted_at)"
        " SELECT id, session_id, 11, 'pen', CAST(:data AS jsonb), 13, 'a', true, now()"
        " FROM whiteboard_pages WHERE session_id = :id",
        data=json.dumps(data),
        id=board_id,
    )
    _draw(platform, 301, 122, "2026-10-20 16:20", stroke_data=data)

    run_import()

    assert len(_order(sql, 101)) == 12


def test_a_stroke_that_is_sent_here_after_it_was_imported_is_the_same(
    run_import: Import, platform: Platform, sql: Sql
) -> None:
    """Its page's link was dead; the platform's row carries the name that the page has given it."""
    run_import()
    data = {"points": [[301, 2], [30, 4]], "width": 3}
    for number in (301, 302):
        _draw(platform, number, 122, "2026-10-20 16:20", stroke_data={**data, "client_id": "a"})
    _draw(platform, 303, 122, "2026-10-20 16:21", stroke_data={**data, "client_id": "platform-201"})

    run_import()

    rows = "SELECT stroke_data, is_deleted FROM whiteboard_canvas_data WHERE client_id = 'a'"
    assert sql(rows) == [(data, False)]
    # Somebody's own name may not be that of another row.
    assert 303 in _order(sql, 101)
    replacement = {"points": [[9, 9]]}
    sql(
        "UPDATE whiteboard_canvas_data SET stroke_data = CAST(:data AS jsonb), is_deleted = true WHERE client_id = 'a'",
        data=json.dumps(replacement),
    )
    sql("UPDATE platform_links SET digest = '' WHERE kind = 'stroke'")
    run_import()
    assert sql(rows) == [(replacement, True)]


def test_the_end_of_a_board_that_was_closed_before_its_strokes_came(
    run_import: Import, platform: Platform, sql: Sql
) -> None:
    run_import()
    board_id = _board_id(sql, 101)
    sql("UPDATE whiteboard_sessions SET status = 'completed', actual_end = created_at WHERE id = :id", id=board_id)
    sql("INSERT INTO whiteboard_events (session_id, kind) VALUES (:id, 'end')", id=board_id)
    _draw(platform, 301, 122, "2026-10-20 16:55")

    run_import()

    [(end,)] = sql("SELECT actual_end FROM whiteboard_sessions WHERE id = :id", id=board_id)
    assert end == datetime.fromisoformat("2026-10-20T14:55:00Z")
    assert sql("SELECT kind FROM jobs WHERE subject = :board", board=f"session:{board_id}") == [
        ("canvases.snapshot_session",)
    ]


@pytest.mark.parametrize(
    ("data", "is_plain"),
    [
        ({"points": [[1.5, 2], [30, 4.25]], "color": "#000000", "width": 3}, True),
        ({"points": [[0, 0], [0.5, 4]]}, True),
        ({"points": [[-4, 2], [30, 4]]}, True),
        # All within one pixel, no points, three numbers, words, too far, too many, keys of others.
        ({"points": [[0, 0.1], [0.5, 0.2], [1, 1]]}, False),
        ({"points": []}, False),
        ({"points": [[1, 2, 3]]}, False),
        ({"points": [["1", 2]]}, False),
        ({"points": [[True, 2]]}, False),
        ({"points": [[1e7, 2]]}, False),
        ({"points": [[2, 2]], "color": 'a"b'}, False),
        ({"points": [[2, 2]] * 20_001}, False),
        ({"points": [[2, 2]], "width": "3"}, False),
        ({"points": [[2, 2]], "left": 3}, False),
        ({"width": 3}, False),
    ],
)
def test_plain_strokes_are_those_that_the_api_stores_as_they_are(
    data: dict[str, Any], is_plain: bool, sql: Sql
) -> None:
    [(text,)] = sql("SELECT CAST(CAST(:data AS jsonb) AS text)", data=json.dumps(data))

    assert is_plain_line(text) is is_plain
    if is_plain:
        assert accepted_stroke(NewStroke("a", "pen", data)).stroke_data is data
