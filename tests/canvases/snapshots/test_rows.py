"""Rows of pictures, and the digest of what a page shows."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.statements import run_statement
from worker.canvases.snapshots.digest import board_digest, board_title, page_digest, page_states
from worker.canvases.snapshots.names import SnapshotTarget
from worker.canvases.snapshots.reading import load_page
from worker.canvases.snapshots.rows import (
    SnapshotFacts,
    SnapshotFile,
    confirm_snapshots,
    drawn_names,
    named_snapshots,
    snapshots_of,
    write_snapshots,
)
from worker.database import Database
from worker.storage.objects import StoredObject

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
OLD, NEW = "a" * 64, "b" * 64


class Board:
    """A session with two pages, and rows of pictures."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.id: int = self.sql("INSERT INTO whiteboard_sessions DEFAULT VALUES RETURNING id")[0][0]
        self.first, self.second = (
            row[0]
            for row in self.sql(
                "INSERT INTO whiteboard_pages (session_id, page_number) VALUES (:id, 1), (:id, 2) RETURNING id",
                id=self.id,
            )
        )
        self.job: UUID = self.sql("INSERT INTO jobs (kind) VALUES ('canvases.snapshot_page') RETURNING id")[0][0]

    def sql(self, statement: str, **values: Any) -> list[Any]:
        return run_statement(self.database, statement, **values)

    def draw(self, data: Any, order: int = 1, stroke_type: str = "pen", page: int | None = None) -> int:
        stroke_id: int = self.sql(
            "INSERT INTO whiteboard_canvas_data (page_id, session_id, stroke_type, stroke_data, stroke_order)"
            " VALUES (:page, :id, :type, CAST(:data AS jsonb), :order) RETURNING id",
            page=page or self.first,
            id=self.id,
            type=stroke_type,
            data=json.dumps(data),
            order=order,
        )[0][0]
        return stroke_id

    def digest(self, page: int | None = None) -> str | None:
        with self.database.transaction() as session:
            return page_digest(session, page or self.first)

    def write(self, place: SnapshotTarget, digest: str, at: datetime, *names: str) -> bool:
        facts = SnapshotFacts(digest, at, 3, self.job)
        files = [SnapshotFile(name, _object(f"{place.prefix}{digest[:4]}/{name}"), 10, 20) for name in names]
        with self.database.transaction() as session:
            return write_snapshots(session, place, facts, files)

    def shown(self) -> list[tuple[int | None, str, str]]:
        with self.database.transaction() as session:
            return [(row.page_id, row.name, row.content_digest) for row in snapshots_of(session, self.id)]


def _object(name: str) -> StoredObject:
    return StoredObject(name, "file-1", 7, "c" * 40, "image/png", NOON)


@pytest.fixture
def board(database: Database) -> Board:
    return Board(database)


class TestDigest:
    """What makes a page another one."""

    def test_what_is_drawn_counts(self, board: Board) -> None:
        digests = [board.digest()]
        board.draw({"points": [[1, 2], [3, 4]]})
        digests.append(board.digest())
        for change in (
            "UPDATE whiteboard_canvas_data SET stroke_type = 'line'",
            """UPDATE whiteboard_canvas_data SET stroke_data = '{"points": [[1, 2], [3, 5]]}'""",
            "UPDATE whiteboard_pages SET background_color = '#FFFFFE'",
            "UPDATE whiteboard_pages SET background_image = 'grid.png'",
        ):
            board.sql(change)
            digests.append(board.digest())
        assert len(set(digests)) == len(digests)

    def test_a_stroke_that_was_taken_back_does_not_count(self, board: Board) -> None:
        empty = board.digest()
        board.draw({"points": [[1, 2], [3, 4]]})
        board.sql("UPDATE whiteboard_canvas_data SET is_deleted = true")
        assert board.digest() == empty

    def test_order_counts_and_numbers_do_not(self, board: Board) -> None:
        board.draw({"a": 1}, order=1)
        board.draw({"b": 2}, order=2)
        digest = board.digest()
        board.sql("UPDATE whiteboard_canvas_data SET stroke_order = stroke_order + 5")
        assert board.digest() == digest
        board.sql("UPDATE whiteboard_canvas_data SET stroke_order = -stroke_order")
        assert board.digest() != digest

    def test_of_one_number_the_id_decides(self, board: Board) -> None:
        board.draw({"a": 1})
        board.draw({"b": 2})
        other = board.second
        board.draw({"b": 2}, page=other)
        board.draw({"a": 1}, page=other)
        assert board.digest() != board.digest(other)

    def test_equal_pages_have_one(self, board: Board) -> None:
        assert board.digest() == board.digest(board.second)
        for page in (board.first, board.second):
            board.draw({"points": [[1, 2.5]]}, page=page)
        assert board.digest() == board.digest(board.second)

    def test_two_strokes_are_not_one(self, board: Board) -> None:
        board.draw({"text": 'x pen {"text": "y"}'}, stroke_type="text")
        board.draw({"text": "x"}, stroke_type="text", page=board.second)
        board.draw({"text": "y"}, page=board.second, order=2)
        assert board.digest() != board.digest(board.second)

    def test_what_is_loaded_has_the_digest_of_exactly_that(self, board: Board) -> None:
        board.draw({"points": [[1, 2], [3, 4]]})
        with board.database.transaction() as session:
            stored = load_page(session, board.first)
            assert stored is not None
            # Somebody draws while we read: neither the strokes nor the digest of this moment know it.
            board.draw({"points": [[5, 6], [7, 8]]}, order=2)
            assert page_digest(session, board.first) == stored.state.digest
        assert [stroke.order for stroke in stored.page.drawn] == [1]
        assert board.digest() != stored.state.digest

    def test_a_document_counts_titles_and_the_order_of_pages(self, board: Board) -> None:
        board.draw({"points": [[1, 2], [3, 4]]})
        with board.database.transaction() as session:
            states = page_states(session, board.id)
        digests = {
            board_digest("Algebra", states),
            board_digest("Roots", states),
            board_digest("Algebra", states[::-1]),
            board_digest("Algebra", states[:1]),
        }
        assert len(digests) == 4
        assert board_digest(board_title(None, 7), states) == board_digest("Whiteboard 7", states)


class TestRows:
    """The latest of each kind."""

    def test_new_ones_replace_old_ones(self, board: Board) -> None:
        place = SnapshotTarget(board.id, board.first)
        assert board.write(place, OLD, NOON, "png", "svg")
        assert board.write(place, NEW, NOON + timedelta(seconds=1), "png", "svg")
        assert board.shown() == [(board.first, "png", NEW), (board.first, "svg", NEW)]

    def test_whoever_looked_earlier_does_not_replace(self, board: Board) -> None:
        place = SnapshotTarget(board.id, board.first)
        board.write(place, NEW, NOON, "png")
        assert board.write(place, OLD, NOON - timedelta(seconds=1), "png", "svg")
        assert (board.first, "png", NEW) in board.shown()

    def test_pages_in_their_order_and_the_document_last(self, board: Board) -> None:
        board.write(SnapshotTarget(board.id, None), OLD, NOON, "pdf")
        board.write(SnapshotTarget(board.id, board.second), OLD, NOON, "png")
        board.write(SnapshotTarget(board.id, board.first), OLD, NOON, "svg", "png")
        assert [(page, name) for page, name, _ in board.shown()] == [
            (board.first, "png"),
            (board.first, "svg"),
            (board.second, "png"),
            (None, "pdf"),
        ]

    @pytest.mark.parametrize("of", ["page", "board"])
    def test_of_what_is_gone_nothing_is_written(self, board: Board, of: str) -> None:
        place = SnapshotTarget(board.id, board.first if of == "page" else None)
        board.sql("DELETE FROM whiteboard_pages" if of == "page" else "DELETE FROM whiteboard_sessions")
        assert not board.write(place, OLD, NOON, "png" if of == "page" else "pdf")
        assert board.sql("SELECT 1 FROM whiteboard_snapshots") == []

    def test_confirming_moves_the_moment_forward_only(self, board: Board) -> None:
        place = SnapshotTarget(board.id, None)
        board.write(place, OLD, NOON, "pdf")
        for digest, at, expected in (
            (NEW, NOON + timedelta(hours=1), NOON),
            (OLD, NOON - timedelta(hours=1), NOON),
            (OLD, NOON + timedelta(hours=1), NOON + timedelta(hours=1)),
        ):
            with board.database.transaction() as session:
                confirm_snapshots(session, place, digest, at)
            assert board.sql("SELECT taken_at FROM whiteboard_snapshots")[0][0] == expected

    def test_what_there_is(self, board: Board) -> None:
        place = SnapshotTarget(board.id, board.first)
        board.write(place, OLD, NOON, "png", "svg")
        with board.database.transaction() as session:
            assert drawn_names(session, place, OLD) == {"png", "svg"}
            assert drawn_names(session, place, NEW) == set()
            assert drawn_names(session, SnapshotTarget(board.id, board.second), OLD) == set()
            name = f"{place.prefix}aaaa/png"
            assert named_snapshots(session, [name, "other"]) == {name}

    def test_a_job_that_was_forgotten_leaves_its_pictures(self, board: Board) -> None:
        board.write(SnapshotTarget(board.id, board.first), OLD, NOON, "png")
        board.sql("DELETE FROM jobs")
        assert board.sql("SELECT job_id FROM whiteboard_snapshots")[0][0] is None
