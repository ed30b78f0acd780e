"""Boards become pictures on B2: what is drawn, what is unchanged, and what happens on failure."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import skia
from pypdf import PdfReader
from pypdf.generic import Destination

from models.whiteboards import WhiteboardSession
from tests.conftest import School
from tests.statements import run_statement
from tests.waiting import wait_for
from tests.workflows.conftest import Put, Versions
from worker.canvases.limits import PAGE_HEIGHT, PAGE_WIDTH
from worker.canvases.snapshots.showing import SnapshotStatus, show_board
from worker.canvases.snapshots.strokes import MAX_BYTES_OF_STROKE
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.board_orders import SnapshotChanged, SnapshotPage, SnapshotSession
from worker.jobs.orders.order import Order
from worker.jobs.orders.routine_orders import SweepObjects
from worker.jobs.runs.cancel import cancel_job
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.jobs.runs.run_lease import LeaseTiming
from worker.workflows.boards.page_addresses import page_addresses, renew_document
from worker.workflows.boards.snapshot_jobs import snapshot_changed, snapshot_page, snapshot_session
from worker.workflows.context import WorkerContext
from worker.workflows.operations.sweep import sweep_objects
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS

RED, GREEN, WHITE = (255, 0, 0), (0, 128, 0), (255, 255, 255)
WORK: dict[type[Order], Callable[[JobRun, Any, WorkerContext], None]] = {
    SnapshotPage: snapshot_page,
    SnapshotSession: snapshot_session,
    SnapshotChanged: lambda run, _order, context: snapshot_changed(run, context),
    SweepObjects: lambda run, _order, context: sweep_objects(run, context),
}


def pen(colour: str) -> dict[str, Any]:
    """A fat stroke over (100, 100)."""
    return {"points": [[20, 20], [180, 180]], "color": colour, "width": 60}


def bookmarks(reader: PdfReader) -> list[str | None]:
    """The titles of a document's outline."""
    return [item.title for item in reader.outline if isinstance(item, Destination)]


class Board:
    """A session in progress with one page, its strokes, and the snapshots made of them."""

    def __init__(self, context: WorkerContext, booking_id: int, folder: Path) -> None:
        self.context = context
        self.database: Database = context.database
        self.folder = folder
        self.id: int = self.sql(
            "INSERT INTO whiteboard_sessions (booking_id, session_title, status, actual_start)"
            " VALUES (:booking_id, 'Algebra', 'in_progress', now()) RETURNING id",
            booking_id=booking_id,
        )[0].id
        self.page = self.add_page(1)

    def sql(self, statement: str, **values: Any) -> list[Any]:
        return run_statement(self.database, statement, **values)

    def add_page(self, number: int, title: str | None = None) -> int:
        page_id: int = self.sql(
            "INSERT INTO whiteboard_pages (session_id, page_number, page_title) VALUES (:id, :number, :title)"
            " RETURNING id",
            id=self.id,
            number=number,
            title=title,
        )[0].id
        return page_id

    def draw(self, data: Any, stroke_type: str = "pen", page: int | None = None, order: int = 1) -> int:
        stroke_id: int = self.sql(
            "INSERT INTO whiteboard_canvas_data (page_id, session_id, stroke_type, stroke_data, stroke_order)"
            " VALUES (:page, :id, :type, CAST(:data AS jsonb), :order) RETURNING id",
            page=page or self.page,
            id=self.id,
            type=stroke_type,
            data=data if isinstance(data, str) else json.dumps(data),
            order=order,
        )[0].id
        return stroke_id

    def shown(self) -> list[SnapshotStatus]:
        """The snapshots as the API shows them."""
        with self.database.transaction() as session:
            return show_board(session, session.get_one(WhiteboardSession, self.id))

    def take_back(self, stroke_id: int) -> None:
        self.sql(
            "UPDATE whiteboard_canvas_data SET is_deleted = true, deleted_at = clock_timestamp() WHERE id = :id",
            id=stroke_id,
        )

    def order(self, order: Order) -> UUID:
        with self.database.transaction() as session:
            return enqueue(session, order)

    def perform(self, order: Order, work: Any = None, context: WorkerContext | None = None) -> Any:
        """Order it, perform it as a worker does, and return the job's row."""
        job_id = self.order(order)
        self.sql("UPDATE jobs SET run_at = now() WHERE id = :id AND state <> 'running'", id=job_id)
        do = work or WORK[type(order)]
        performer = Performer(self.database, "test", LeaseTiming(30, 10, 0.02), 0.01, FAILURE_HOOKS)
        with suppress(JobNotDone):  # what the ledger says of it is what counts
            performer.perform(job_id, lambda run, done: do(run, done, context or self.context))
        return self.sql("SELECT * FROM jobs WHERE id = :id", id=job_id)[0]

    def done(self, order: Order) -> Any:
        """The result of a job that succeeds."""
        job = self.perform(order)
        assert job.state == "succeeded", job.error
        return job.result

    def rows(self) -> dict[tuple[int | None, str], Any]:
        return {(row.page_id, row.name): row for row in self.sql("SELECT * FROM whiteboard_snapshots ORDER BY id")}

    def row(self, name: str = "png", page: int | None = None) -> Any:
        return self.rows()[None if name == "pdf" else page or self.page, name]

    def file(self, name: str = "png", page: int | None = None) -> Path:
        """What B2 holds of it, checked against its row."""
        row = self.row(name, page)
        path = self.folder / hashlib.sha256(row.object_name.encode()).hexdigest()
        self.context.store.download(row.object_name, path, sha1=row.sha1)
        assert path.stat().st_size == row.bytes
        return path

    def pixel(self, x: int, y: int, name: str = "png", page: int | None = None) -> tuple[int, ...]:
        image = skia.Image.open(str(self.file(name, page)))
        pixels = image.toarray(colorType=skia.kRGBA_8888_ColorType)
        return tuple(int(channel) for channel in pixels[y, x, :3])

    def jobs(self, kind: type[Order], *states: str) -> list[Any]:
        allowed_states = list(states or ("queued", "published"))
        return self.sql(
            "SELECT * FROM jobs WHERE kind = :kind AND state = ANY(:states)", kind=kind.kind, states=allowed_states
        )

    def spooled(self) -> list[Path]:
        return [path for path in self.context.settings.spool_dir.rglob("*") if path.name != "work"]


@pytest.fixture
def board(context: WorkerContext, school: School, tmp_path: Path) -> Board:
    return Board(context, school.booking_id, tmp_path)


class TestPage:
    """`canvases.snapshot_page`."""

    def test_it_becomes_four_files(self, board: Board, versions: Versions) -> None:
        board.draw(pen("#ff0000"))

        result = board.done(SnapshotPage(board.page))

        skipped = {"count": 0, "strokes": []}
        assert result == {"page_id": board.page, "state": "drawn", "skipped": skipped}
        rows = board.rows()
        assert {(name, row.mime, row.width, row.height) for (_, name), row in rows.items()} == {
            ("png", "image/png", PAGE_WIDTH, PAGE_HEIGHT),
            ("png_2x", "image/png", 2 * PAGE_WIDTH, 2 * PAGE_HEIGHT),
            ("thumbnail", "image/webp", 400, 267),
            ("svg", "image/svg+xml", PAGE_WIDTH, PAGE_HEIGHT),
        }
        assert len({row.content_digest for row in rows.values()}) == 1
        assert len({row.job_id for row in rows.values()}) == 1
        folder = f"snapshots/whiteboard/session_{board.id}/page_{board.page}/{board.row().content_digest[:16]}/"
        assert sorted(name for name, _ in versions()) == [
            f"{folder}{name}" for name in ("page.png", "page.svg", "page@2x.png", "thumbnail.webp")
        ]
        for name, scale in (("png", 1.0), ("png_2x", 2.0), ("thumbnail", 1 / 3)):
            red, green, blue = board.pixel(round(100 * scale), round(100 * scale), name)
            assert (red > 240, green < 15, blue < 15) == (True, True, True), name
            assert min(board.pixel(round(600 * scale), round(600 * scale), name)) > 240
        assert b"<svg" in board.file("svg").read_bytes()
        assert board.spooled() == []

    def test_what_did_not_change_is_not_drawn_again(self, board: Board, versions: Versions) -> None:
        board.draw(pen("#ff0000"))
        board.done(SnapshotPage(board.page))
        before, files = board.row(), versions()

        assert board.done(SnapshotPage(board.page))["state"] == "unchanged"

        assert versions() == files
        after = board.row()
        assert (after.object_name, after.job_id) == (before.object_name, before.job_id)
        assert after.taken_at > before.taken_at

    def test_what_was_taken_back_is_gone_and_its_picture_stays_for_those_who_look(
        self, board: Board, versions: Versions
    ) -> None:
        stroke = board.draw(pen("#ff0000"))
        board.done(SnapshotPage(board.page))
        first = board.row()
        board.take_back(stroke)

        assert board.done(SnapshotPage(board.page))["state"] == "drawn"

        assert board.pixel(100, 100) == WHITE
        assert len(board.rows()) == 4
        # An address that was given out a moment ago still opens what it opened.
        assert first.object_name in [name for name, _ in versions()]

    def test_a_page_that_looks_as_before_has_its_old_files(self, board: Board, versions: Versions) -> None:
        board.draw(pen("#ff0000"))
        board.done(SnapshotPage(board.page))
        second = board.draw(pen("green"), order=2)
        board.done(SnapshotPage(board.page))
        assert board.pixel(100, 100) == GREEN
        board.take_back(second)

        board.done(SnapshotPage(board.page))

        assert board.pixel(100, 100) == RED
        # Named by what they show, and the same bytes each time.
        assert len(versions()) == 8

    def test_later_strokes_lie_above(self, board: Board) -> None:
        board.draw(pen("green"), order=2)
        board.draw(pen("#ff0000"), order=1)
        board.done(SnapshotPage(board.page))
        assert board.pixel(100, 100) == GREEN

    def test_one_that_is_gone(self, board: Board, versions: Versions) -> None:
        assert board.done(SnapshotPage(board.page + 1))["state"] == "gone"
        assert versions() == []

    def test_bad_strokes_are_counted_and_named_and_the_rest_is_drawn(self, board: Board) -> None:
        deep = '{"points": ' + "[" * 3000 + "]" * 3000 + "}"
        huge = {"points": [[1, 2], [3, 4]], "note": "x" * MAX_BYTES_OF_STROKE}
        for order, data in enumerate(({}, deep, huge, [], {"points": "many"}), start=2):
            board.draw(data, order=order)
        board.draw(pen("#ff0000"), order=1)

        skipped = board.done(SnapshotPage(board.page))["skipped"]

        assert skipped["count"] == 5
        assert sorted(stroke["order"] for stroke in skipped["strokes"]) == [2, 3, 4, 5, 6]
        assert all(stroke["reason"] and stroke["page_id"] == board.page for stroke in skipped["strokes"])
        assert board.pixel(100, 100) == RED
        assert board.row().skipped == 5

    def test_a_result_names_only_some_of_many(self, board: Board) -> None:
        for order in range(30):
            board.draw({}, order=order)
        skipped = board.done(SnapshotPage(board.page))["skipped"]
        assert (skipped["count"], len(skipped["strokes"])) == (30, 20)

    def test_many_points(self, board: Board) -> None:
        line = [[20 + number % 1100, 400 + number % 7] for number in range(100_000)]
        board.draw({"points": line, "color": "#ff0000", "width": 3})
        assert board.done(SnapshotPage(board.page))["skipped"]["count"] == 0
        assert board.pixel(600, 403) == RED

    def test_a_cancelled_one_stops_and_leaves_nothing_on_the_disk(self, board: Board) -> None:
        board.draw(pen("#ff0000"))

        def be_cancelled(run: JobRun, order: Any, context: WorkerContext) -> None:
            with board.database.transaction() as session:
                cancel_job(session, FAILURE_HOOKS, run.claim.job_id)
            run.progress(1)  # what the next heartbeat has to say
            wait_for(lambda: run.cancelled)
            snapshot_page(run, order, context)

        assert board.perform(SnapshotPage(board.page), be_cancelled).state == "cancelled"
        assert (board.rows(), board.spooled()) == ({}, [])

    def test_a_b2_that_says_no_leaves_nothing_behind_and_another_try_draws(self, board: Board) -> None:
        board.draw(pen("#ff0000"))
        nowhere = board.context.settings.model_copy(update={"backblaze_bucket_name": "no-such-bucket-of-ours"})

        job = board.perform(SnapshotPage(board.page), context=WorkerContext(nowhere, board.database))

        assert (job.state, job.error["code"]) == ("failed", "storage-refused")
        assert (board.rows(), board.spooled()) == ({}, [])
        assert board.done(SnapshotPage(board.page))["state"] == "drawn"


class TestBackground:
    """`background_image`: from our own bucket, and no object there of another owner."""

    @pytest.fixture
    def grid(self, board: Board) -> Callable[..., str]:
        """`grid(name)`: a green picture in the bucket."""

        def put(name: str, content: bytes | None = None) -> str:
            surface = skia.Surface(60, 40)
            surface.getCanvas().clear(0xFF008000)
            path = board.folder / "grid.png"
            path.write_bytes(content or bytes(surface.makeImageSnapshot().encodeToData()))
            return board.context.store.upload(path, name, content_type="image/png").name

        return put

    def behind(self, board: Board, value: str) -> dict[str, Any]:
        board.sql("UPDATE whiteboard_pages SET background_image = :value", value=value)
        skipped: dict[str, Any] = board.done(SnapshotPage(board.page))["skipped"]
        return skipped

    @pytest.mark.parametrize("form", ["name", "address", "signed address"])
    def test_it_lies_behind_the_ink_and_an_eraser_shows_it(self, board: Board, grid: Any, form: str) -> None:
        name = grid("images/boards/a grid.png")
        url = board.context.store.url(name)
        board.draw(pen("#ff0000"))
        board.draw(pen("#ff0000") | {"width": 20}, "eraser", order=2)

        skipped = self.behind(board, {"name": name, "address": url, "signed address": f"{url}?Authorization=x"}[form])

        assert skipped["count"] == 0
        assert board.pixel(600, 600) == GREEN
        assert (board.pixel(100, 100), board.pixel(115, 85)) == (GREEN, RED)

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            ("images/boards/missing.png", "there is no such object"),
            ("https://evil.example/grid.png", "not in our own bucket"),
            ("http://127.0.0.1:1/file/astegni-media/grid.png", "not in our own bucket"),
            ("//evil.example/grid.png", "not in our own bucket"),
            ("file:///etc/passwd", "not in our own bucket"),
            ("data:image/png;base64,AAAA", "not in our own bucket"),
            ("/etc/passwd", "not one of an object"),
            ("images/kyc/documents/passport.png", "not a picture for boards"),
            ("images/chat/private.png", "not a picture for boards"),
            ("images/profile/user_9.png", "not a picture for boards"),
            ("anything/else.png", "not a picture for boards"),
            ("images/postsecret/x.png", "not a picture for boards"),
            ("snapshots/whiteboard/session_10/page_1/0123/page.png", "not a picture for boards"),
            ("./images/kyc/selfies/user_9/secret.png", "not one of an object"),
            ("images/posts/../kyc/secret.png", "not one of an object"),
            ("images/posts/a/%2e%2e/%2e%2e/kyc/secret.png", "not one of an object"),
            ("../other-bucket/secret.png", "not one of an object"),
            ("../../b2api/v4/b2_list_buckets", "not one of an object"),
            ("videos/whiteboard/session_1/recording_1/0123/play/poster.jpg", "not a picture for boards"),
            ("http://[", "not in our own bucket"),
            ("HTTP:grid.png", "not in our own bucket"),
            ("images/\x1b.png", "not one of an object"),
            ("  ", "not one of an object"),
        ],
    )
    def test_what_is_not_ours_is_named_and_the_page_drawn_without(self, board: Board, value: str, reason: str) -> None:
        board.draw(pen("#ff0000"), order=7)
        (stroke,) = self.behind(board, value)["strokes"]
        assert reason in stroke["reason"]
        assert (board.pixel(100, 100), board.pixel(600, 600)) == (RED, WHITE)

    def test_a_board_of_others_is_not_shown_and_the_own_is(self, board: Board, grid: Any) -> None:
        others = grid(f"snapshots/whiteboard/session_{board.id}1/page_1/0123/page.png")
        assert "not a picture for boards" in self.behind(board, others)["strokes"][0]["reason"]
        own = grid(f"snapshots/whiteboard/session_{board.id}/page_1/0123/page.png")
        assert self.behind(board, own)["count"] == 0
        assert board.pixel(600, 600) == GREEN

    def test_one_that_arrives_later_is_shown_by_the_next_snapshot(self, board: Board, grid: Any) -> None:
        """Before, the page counted as drawn for ever: its digest covers the name of the image alone."""
        name = "images/boards/later.png"
        board.draw(pen("#ff0000"))
        board.sql("UPDATE whiteboard_pages SET background_image = :value", value=name)
        result = board.done(SnapshotSession(board.id))
        assert "there is no such object" in result["skipped"]["strokes"][0]["reason"]
        assert not any(shown.is_current for shown in board.shown())
        missing = board.row("pdf").object_name

        grid(name)
        result = board.done(SnapshotSession(board.id))

        assert (result["drawn"], result["document"], result["skipped"]["count"]) == (1, "drawn", 0)
        assert (board.pixel(100, 100), board.pixel(600, 600)) == (RED, GREEN)
        assert board.row("pdf").object_name != missing
        assert all(shown.is_current for shown in board.shown())
        assert board.done(SnapshotSession(board.id))["drawn"] == 0

    def test_what_is_no_picture(self, board: Board, grid: Any) -> None:
        name = grid("images/boards/notes.png", b"these are no pixels")
        assert "cannot be read" in self.behind(board, name)["strokes"][0]["reason"]
        assert board.pixel(600, 600) == WHITE


class TestSession:
    """`canvases.snapshot_session`."""

    def test_pages_and_one_document(self, board: Board) -> None:
        second = board.add_page(2, "Squares and roots")
        board.draw(pen("#ff0000"))
        board.draw({"text": "a² + b² = c²", "x": 100, "y": 200, "fontSize": 40}, "text", page=second)
        board.draw({"text": "ምሳሌ አንድ", "x": 100, "y": 300, "fontSize": 40}, "text", page=second, order=2)

        result = board.done(SnapshotSession(board.id))

        assert result == {
            "session_id": board.id,
            "pages": 2,
            "drawn": 2,
            "unchanged": 0,
            "document": "drawn",
            "skipped": {"count": 0, "strokes": []},
        }
        assert len(board.rows()) == 9
        row = board.row("pdf")
        assert row.object_name == f"snapshots/whiteboard/session_{board.id}/board/{row.content_digest[:16]}/board.pdf"
        reader = PdfReader(board.file("pdf"))
        assert bookmarks(reader) == ["Page 1", "Squares and roots"]
        assert reader.metadata is not None
        assert reader.metadata.title == "Algebra"
        # Words only: where blanks are, a reader guesses from distances.
        assert "a²+b²=c²\nምሳሌአንድ" in reader.pages[1].extract_text().replace(" ", "")
        assert board.spooled() == []

    def test_only_what_changed_is_drawn(self, board: Board) -> None:
        second = board.add_page(2)
        board.done(SnapshotSession(board.id))
        before = board.rows()
        assert board.done(SnapshotSession(board.id))["document"] == "unchanged"
        assert {row.object_name for row in board.rows().values()} == {row.object_name for row in before.values()}
        board.draw(pen("#ff0000"), page=second)

        result = board.done(SnapshotSession(board.id))

        assert (result["drawn"], result["unchanged"], result["document"]) == (1, 1, "drawn")
        same = {key for key, row in board.rows().items() if row.object_name == before[key].object_name}
        assert same == {(board.page, name) for name in ("png", "png_2x", "thumbnail", "svg")}

    def test_another_title_is_another_document(self, board: Board) -> None:
        board.done(SnapshotSession(board.id))
        board.sql("UPDATE whiteboard_pages SET page_title = 'Roots'")
        result = board.done(SnapshotSession(board.id))
        assert (result["drawn"], result["document"]) == (0, "drawn")
        assert bookmarks(PdfReader(board.file("pdf")))[0] == "Roots"

    def test_one_without_pages_and_one_that_is_gone(self, board: Board, versions: Versions) -> None:
        board.sql("DELETE FROM whiteboard_pages")
        for session_id in (board.id, board.id + 1):
            result = board.done(SnapshotSession(session_id))
            assert (result["pages"], result["document"]) == (0, "none")
        assert versions() == []

    def test_what_was_stored_before_an_attempt_ended_is_not_drawn_again(self, board: Board) -> None:
        board.add_page(2)
        # The database takes nothing of the second page.
        board.sql(f"ALTER TABLE whiteboard_snapshots ADD CONSTRAINT first_page CHECK (page_id = {board.page})")
        try:
            assert board.perform(SnapshotSession(board.id)).state == "retryable"
        finally:
            board.sql("ALTER TABLE whiteboard_snapshots DROP CONSTRAINT first_page")
        assert len(board.rows()) == 4
        result = board.done(SnapshotSession(board.id))
        assert (result["drawn"], result["unchanged"], result["document"]) == (1, 1, "drawn")


class TestChanged:
    """`canvases.snapshot_changed`: what beat rings."""

    def look(self, board: Board) -> tuple[int, int]:
        result = board.done(SnapshotChanged())
        return result["pages"], result["sessions"]

    def carry_out(self, board: Board) -> None:
        for job in board.jobs(SnapshotPage):
            board.perform(SnapshotPage(**job.args))
        for job in board.jobs(SnapshotSession):
            board.perform(SnapshotSession(**job.args))

    def test_pages_that_changed_and_only_those(self, board: Board) -> None:
        second = board.add_page(2)
        assert self.look(board) == (2, 0)
        assert {job.subject for job in board.jobs(SnapshotPage)} == {f"page:{board.page}", f"page:{second}"}
        assert {(job.queue, job.principal) for job in board.jobs(SnapshotPage)} == {("media", "beat")}
        # Twice: one live order for each.
        assert self.look(board) == (2, 0)
        assert len(board.jobs(SnapshotPage)) == 2
        self.carry_out(board)

        assert self.look(board) == (0, 0)
        board.draw(pen("#ff0000"), page=second)
        assert self.look(board) == (1, 0)
        assert [job.subject for job in board.jobs(SnapshotPage)] == [f"page:{second}"]

    def test_what_was_drawn_and_taken_back_is_no_change(self, board: Board) -> None:
        self.look(board)
        self.carry_out(board)
        before = board.row().taken_at
        board.take_back(board.draw(pen("#ff0000")))
        assert self.look(board) == (0, 0)
        assert board.row().taken_at > before

    @pytest.mark.parametrize("change", ["UPDATE whiteboard_pages SET background_color = 'navy', updated_at = now()"])
    def test_another_background_is_a_change(self, board: Board, change: str) -> None:
        self.look(board)
        self.carry_out(board)
        board.sql(change)
        assert self.look(board) == (1, 0)

    @pytest.mark.parametrize("status", ["scheduled", "cancelled"])
    def test_a_session_that_does_not_run(self, board: Board, status: str) -> None:
        board.draw(pen("#ff0000"))
        board.sql("UPDATE whiteboard_sessions SET status = :status", status=status)
        assert self.look(board) == (0, 0)

    def test_a_stroke_that_comes_after_the_end(self, board: Board) -> None:
        board.sql("UPDATE whiteboard_sessions SET status = 'completed', actual_end = now()")
        board.done(SnapshotSession(board.id))
        assert self.look(board) == (0, 0)
        board.draw(pen("#ff0000"))
        assert self.look(board) == (0, 1)
        self.carry_out(board)
        assert board.pixel(100, 100) == RED
        assert self.look(board) == (0, 0)

    def test_what_ended_long_ago_rests(self, board: Board) -> None:
        board.sql("UPDATE whiteboard_sessions SET status = 'completed', actual_end = now() - interval '25 hours'")
        board.draw(pen("#ff0000"))
        assert self.look(board) == (0, 0)

    def test_the_document_follows_a_page_that_was_drawn_alone(self, board: Board) -> None:
        board.sql("UPDATE whiteboard_sessions SET status = 'completed', actual_end = now()")
        board.done(SnapshotSession(board.id))
        board.draw(pen("#ff0000"))
        board.done(SnapshotPage(board.page))
        assert self.look(board) == (0, 1)

    @pytest.mark.parametrize("status", ["in_progress", "completed"])
    def test_what_cannot_be_drawn_is_not_ordered_at_every_ring(self, board: Board, status: str) -> None:
        board.sql("UPDATE whiteboard_sessions SET status = :status, actual_end = now()", status=status)
        assert sum(self.look(board)) == 1
        board.sql("UPDATE jobs SET state = 'failed', finished_at = now() WHERE kind LIKE 'canvases.snapshot_%'")
        assert sum(self.look(board)) == 0
        board.sql("UPDATE jobs SET finished_at = now() - interval '2 hours'")
        assert sum(self.look(board)) == 1

    def test_many_pages_go_by_batches(self, board: Board) -> None:
        board.sql(
            "INSERT INTO whiteboard_pages (session_id, page_number) SELECT :id, generate_series(2, 230)", id=board.id
        )
        assert self.look(board) == (230, 0)


class TestSweep:
    """`upkeep.sweep_objects` among the pictures."""

    def sweep(self, board: Board, age: float = 0) -> Any:
        settings = board.context.settings.model_copy(update={"orphan_age": age})
        job = board.perform(SweepObjects(), context=WorkerContext(settings, board.database))
        assert job.state == "succeeded", job.error
        return job.result

    def test_old_pictures_go_and_those_of_rows_stay(self, board: Board, versions: Versions, put: Put) -> None:
        board.draw(pen("#ff0000"))
        board.done(SnapshotSession(board.id))
        board.draw(pen("green"), order=2)
        board.done(SnapshotSession(board.id))
        foreign = [put("snapshots/whiteboard/notes.txt"), put("snapshots/else/session_1/page_1/0123/page.png")]
        assert len(versions()) == 12

        assert self.sweep(board, age=3600)["objects"] == 0
        assert self.sweep(board)["objects"] == 5

        named = [row.object_name for row in board.rows().values()]
        assert sorted(name for name, _ in versions()) == sorted([*named, *foreign])

    def test_pictures_of_what_is_gone_go(self, board: Board, versions: Versions) -> None:
        second = board.add_page(2)
        board.done(SnapshotSession(board.id))
        board.sql("DELETE FROM whiteboard_pages WHERE id = :id", id=second)
        assert self.sweep(board)["objects"] == 4
        board.sql("DELETE FROM whiteboard_sessions")
        assert self.sweep(board)["objects"] == 5
        assert versions() == []

    def test_what_b2_has_no_longer_is_drawn_again(self, board: Board, versions: Versions) -> None:
        """After a restore rows name pictures of yesterday's board, which were replaced and removed since."""
        board.draw(pen("#ff0000"))
        board.done(SnapshotSession(board.id))
        objects, lost = sorted(name for name, _ in versions()), board.row("svg").object_name
        board.context.store.delete(lost)
        assert self.sweep(board)["forgotten"] == 1
        assert lost not in [row.object_name for row in board.rows().values()]

        board.done(SnapshotSession(board.id))
        assert sorted(name for name, _ in versions()) == objects
        assert (self.sweep(board)["forgotten"], len(board.rows())) == (0, len(objects))

    @pytest.mark.parametrize("kind", [SnapshotPage, SnapshotSession])
    def test_what_is_being_drawn_keeps_everything(self, board: Board, put: Put, kind: Any) -> None:
        put(f"snapshots/whiteboard/session_{board.id}/page_{board.page}/0123/page.png")
        job_id = board.order(kind(board.page if kind is SnapshotPage else board.id))
        assert self.sweep(board)["objects"] == 0
        board.sql("UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE id = :id", id=job_id)
        assert self.sweep(board)["objects"] == 1

    def test_large_files_that_nobody_finished(self, board: Board) -> None:
        bucket = board.context.store._account.bucket()
        bucket.api.session.start_large_file(bucket.id_, "snapshots/whiteboard/session_1/board/0/a", "x/y", {})
        assert self.sweep(board, age=3600)["unfinished"] == 0
        assert self.sweep(board)["unfinished"] == 1


def test_pages_lead_to_the_voice_once_it_can_be_played(board: Board) -> None:
    board.draw(pen("red"))
    page_of_silence = board.add_page(2)
    settings = board.context.settings.model_copy(update={"recording_url": "https://a.example/watch/{recording_id}"})
    context = WorkerContext(settings, board.database)
    assert board.perform(SnapshotSession(board.id), context=context).result["document"] == "drawn"
    (recording_id,) = board.sql(
        """
        INSERT INTO whiteboard_session_recordings
               (session_id, recording_type, is_available, duration_seconds, recording_date, recording_metadata)
        SELECT :id, 'board', true, 60, created_at - interval '30 s', '{"duration_ms": 60000, "audio_codec": "opus"}'
          FROM whiteboard_canvas_data RETURNING id
        """,
        id=board.id,
    )[0]
    with board.database.transaction() as session:
        renew_document(session, board.id, settings, principal="user:1")

    assert board.perform(SnapshotSession(board.id), context=context).result["document"] == "drawn"
    assert board.perform(SnapshotSession(board.id), context=context).result["document"] == "unchanged"

    with board.database.transaction() as session:
        addresses = page_addresses(session, board.id, settings)
        assert page_addresses(session, board.id, settings.model_copy(update={"board_codes": False})) == {}
        assert page_addresses(session, board.id, settings.model_copy(update={"recording_url": None})) == {}
    address, _, second = addresses[board.page].partition("#t=")
    assert address == f"https://a.example/watch/{recording_id}"
    assert 29 <= int(second) < 60
    assert page_of_silence not in addresses
