"""A whiteboard session and its lesson begin and end together; neither ends while it is still in use."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from models.jobs import Job
from models.schedules import Schedule, ScheduleParticipant
from models.strokes import Stroke
from models.whiteboards import WhiteboardEvent, WhiteboardPage, WhiteboardSession
from tests.conftest import School
from tests.waiting import TIMEOUT
from worker.database import Database
from worker.errors import Conflict, Forbidden, NotFound
from worker.jobs.orders.board_orders import SnapshotSession
from worker.schedules.advance import complete_lessons
from worker.whiteboards.lifecycle import join_session
from worker.workflows.boards.run_session import close_sessions, end_session, start_session

NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUIET = 2 * HOUR


class SessionFixture:
    """A lesson of the school's tutor and student, and boards of it."""

    def __init__(self, database: Database, school: School) -> None:
        self.database = database
        self.school = school
        self.schedule_id = self.lesson(NOW - 3 * HOUR)

    def add(self, model: Any, **values: Any) -> int:
        with self.database.transaction() as session:
            return int(session.scalars(insert(model).values(values).returning(model.id)).one())

    def lesson(self, at: datetime, **columns: Any) -> int:
        times = {"starts_at": at, "ends_at": at + HOUR}
        local = {"schedule_date": at.date(), "start_time": at.time(), "end_time": (at + HOUR).time()}
        owner = {"tutor_id": 11, "student_id": 22, "booking_id": self.school.booking_id}
        schedule_id = self.add(Schedule, **{**owner, **local, **times, **columns})
        with self.database.transaction() as session:
            session.execute(
                insert(ScheduleParticipant).from_select(
                    ["schedule_id", "student_id", "starts_at", "ends_at", "status"],
                    select(
                        Schedule.id, Schedule.student_id, Schedule.starts_at, Schedule.ends_at, Schedule.status
                    ).where(Schedule.id == schedule_id, Schedule.student_id > 0, Schedule.starts_at.is_not(None)),
                )
            )
        return schedule_id

    def board(self, **columns: Any) -> int:
        values = {
            "booking_id": self.school.booking_id,
            "schedule_id": self.schedule_id,
            "host_profile_id": 11,
            "host_profile_type": "tutor",
            **columns,
        }
        return self.add(WhiteboardSession, **values)

    def running(self, since: timedelta = 3 * HOUR, **columns: Any) -> int:
        """A board in progress whose only event is its start, so long ago."""
        session_id = self.board(status="in_progress", actual_start=NOW - since, is_recording=True, **columns)
        self.happen(session_id, "start", NOW - since)
        return session_id

    def happen(self, session_id: int, kind: str, at: datetime, profile: tuple[str, int] = ("tutor", 11)) -> None:
        self.add(
            WhiteboardEvent, session_id=session_id, kind=kind, at=at, profile_type=profile[0], profile_id=profile[1]
        )

    def draw(self, session_id: int, **times: datetime) -> None:
        page_id = self.add(WhiteboardPage, session_id=session_id)
        self.add(Stroke, page_id=page_id, session_id=session_id, stroke_type="pen", stroke_data={}, **times)

    def start(self, session_id: int, caller: Any = None) -> None:
        with self.database.transaction() as session:
            start_session(session, caller or self.school.tutor, session_id)

    def end(self, session_id: int, caller: Any = None) -> None:
        with self.database.transaction() as session:
            end_session(session, caller or self.school.tutor, session_id)

    def join(self, session_id: int, caller: Any = None) -> None:
        with self.database.transaction() as session:
            join_session(session, caller or self.school.student, session_id)

    def close(self, **changes: Any) -> int:
        with self.database.transaction() as session:
            values = {"quiet_since": NOW - QUIET, "now": NOW, "after": 0, "most": 100, **changes}
            return close_sessions(session, **values).sessions

    def status(self, session_id: int) -> str:
        return str(self.row(WhiteboardSession, session_id).status)

    def state(self, schedule_id: int | None = None) -> tuple[str, str]:
        """Status and attendance of the lesson."""
        row = self.row(Schedule, schedule_id or self.schedule_id)
        return row.status, row.attendance

    def row(self, model: Any, row_id: int) -> Any:
        with self.database.transaction() as session:
            return session.get_one(model, row_id)

    def drawings(self) -> list[tuple[str | None, str]]:
        """(subject, principal) of every order to draw a board."""
        statement = select(Job.subject, Job.principal).where(Job.kind == SnapshotSession.kind).order_by(Job.created_at)
        with self.database.transaction() as session:
            return [(subject, principal) for subject, principal in session.execute(statement)]

    def last_event(self, session_id: int) -> tuple[str, int | None, str | None]:
        columns = (WhiteboardEvent.kind, WhiteboardEvent.profile_id, WhiteboardEvent.profile_type)
        statement = select(*columns).where(WhiteboardEvent.session_id == session_id).order_by(WhiteboardEvent.id.desc())
        with self.database.transaction() as session:
            kind, profile_id, profile_type = session.execute(statement.limit(1)).one()
            return kind, profile_id, profile_type


@pytest.fixture
def sessions(database: Database, school: School) -> SessionFixture:
    return SessionFixture(database, school)


class TestTogether:
    """Start and end."""

    def test_the_lesson_follows_its_board(self, sessions: SessionFixture) -> None:
        board = sessions.board()
        for _ in range(2):
            sessions.start(board)
            assert sessions.state() == ("in_progress", "unknown")
        sessions.join(board)
        for _ in range(2):
            sessions.end(board)
            assert sessions.state() == ("completed", "held")
        with sessions.database.transaction() as session:
            assert session.scalars(select(ScheduleParticipant.status)).one() == "completed"

    def test_nobody_came_but_the_tutor(self, sessions: SessionFixture) -> None:
        board = sessions.board()
        sessions.start(board)
        sessions.end(board)
        assert sessions.state() == ("completed", "missed")

    def test_the_end_has_the_board_drawn_once_and_with_the_end_or_not_at_all(self, sessions: SessionFixture) -> None:
        board = sessions.board()
        sessions.start(board)
        assert sessions.drawings() == []
        with pytest.raises(RuntimeError), sessions.database.transaction() as session:
            end_session(session, sessions.school.tutor, board)
            raise RuntimeError
        assert (sessions.drawings(), sessions.status(board)) == ([], "in_progress")
        for _ in range(2):
            sessions.end(board)
            with sessions.database.transaction() as session:
                session.execute(update(Job).values(state="succeeded", finished_at=func.now()))
        assert sessions.drawings() == [(f"session:{board}", "user:1")]

    @pytest.mark.parametrize("status", ["completed", "cancelled"])
    def test_a_lesson_that_is_over_is_not_taken_up_again(self, sessions: SessionFixture, status: str) -> None:
        other = sessions.lesson(NOW + HOUR, status=status)
        board = sessions.board(schedule_id=other)
        sessions.start(board)
        sessions.join(board)
        assert sessions.state(other) == (status, "unknown")
        sessions.end(board)
        # What was called off stays so, whatever happens on a board of it.
        assert sessions.state(other) == (status, "held" if status == "completed" else "unknown")

    def test_a_slot_stays_a_slot(self, sessions: SessionFixture) -> None:
        slot = sessions.lesson(NOW + HOUR, student_id=None, booking_id=None)
        board = sessions.board(schedule_id=slot)
        sessions.start(board)
        sessions.end(board)
        assert sessions.state(slot) == ("scheduled", "unknown")

    def test_a_board_without_a_lesson(self, sessions: SessionFixture) -> None:
        board = sessions.board(schedule_id=None)
        sessions.start(board)
        sessions.end(board)
        assert sessions.status(board) == "completed"
        assert sessions.state() == ("scheduled", "unknown")

    def test_the_clock_was_first(self, sessions: SessionFixture, database: Database) -> None:
        """The lesson is over by the clock while the board runs on; who comes late still counts."""
        board = sessions.board()
        sessions.start(board)
        with database.transaction() as session:
            assert complete_lessons(session, now=NOW, most=10) == 1
        assert sessions.state() == ("completed", "missed")
        sessions.join(board)
        sessions.end(board)
        assert sessions.state() == ("completed", "held")

    def test_a_lesson_without_instants(self, sessions: SessionFixture) -> None:
        by_hand = sessions.lesson(NOW, starts_at=None, ends_at=None)
        board = sessions.board(schedule_id=by_hand)
        sessions.start(board)
        assert sessions.state(by_hand) == ("in_progress", "unknown")
        sessions.join(board)
        sessions.end(board)
        assert sessions.state(by_hand) == ("completed", "held")

    def test_who_may_is_the_session_s_rule(self, sessions: SessionFixture, school: School) -> None:
        board = sessions.board()
        for caller, error in ((school.student, Forbidden), (school.parent, Forbidden), (school.other_tutor, NotFound)):
            for verb in (sessions.start, sessions.end):
                with pytest.raises(error):
                    verb(board, caller)
        with pytest.raises(Conflict):
            sessions.end(board)
        assert sessions.state() == ("scheduled", "unknown")

    def test_ends_and_the_clock_at_once(self, sessions: SessionFixture, database: Database) -> None:
        """Two boards of one lesson end while the clock completes it, again and again: no deadlock."""
        boards = [sessions.board() for _ in range(6)]
        for board in boards:
            sessions.start(board)
        sessions.join(boards[0])
        begin = threading.Barrier(4, timeout=TIMEOUT)

        def end(some: list[int]) -> None:
            begin.wait()
            for board in some:
                sessions.end(board)

        def advance() -> None:
            begin.wait()
            for _ in range(10):
                with database.transaction() as session:
                    complete_lessons(session, now=NOW, most=10)

        with ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(end, boards[at::2]) for at in range(2)] + [pool.submit(advance) for _ in range(2)]
            for future in futures:
                future.result()
        assert [sessions.status(board) for board in boards] == ["completed"] * 6
        assert sessions.state() == ("completed", "held")


class TestLeftRunning:
    """Whiteboard sessions that were left running."""

    def test_it_is_closed_with_its_lesson(self, sessions: SessionFixture) -> None:
        board = sessions.running()
        sessions.happen(board, "join", NOW - 2.5 * HOUR, ("student", 22))
        assert sessions.close() == 1
        row = sessions.row(WhiteboardSession, board)
        assert (row.status, row.is_recording, row.actual_end) == ("completed", False, NOW - 2.5 * HOUR)
        assert sessions.last_event(board) == ("end", None, None)
        assert sessions.state() == ("completed", "held")
        assert sessions.close() == 0
        assert sessions.drawings() == [(f"session:{board}", "system")]

    def test_one_without_lesson_or_times(self, sessions: SessionFixture) -> None:
        board = sessions.running(schedule_id=None, booking_id=None)
        assert sessions.close() == 1
        assert sessions.status(board) == "completed"
        assert sessions.state() == ("scheduled", "unknown")

    @pytest.mark.parametrize("kind", ["join", "leave", "start"])
    def test_an_event_keeps_it(self, sessions: SessionFixture, kind: str) -> None:
        board = sessions.running()
        sessions.happen(board, kind, NOW - QUIET)
        assert sessions.close() == 0
        assert sessions.close(quiet_since=NOW - QUIET + timedelta(seconds=1)) == 1

    @pytest.mark.parametrize(
        "times",
        [
            {"created_at": NOW - QUIET},
            {"created_at": NOW - QUIET, "deleted_at": NOW - HOUR},
            # An old stroke that was just taken back.
            {"created_at": NOW - 2.5 * HOUR, "deleted_at": NOW - HOUR},
        ],
    )
    def test_a_stroke_keeps_it(self, sessions: SessionFixture, times: dict[str, datetime]) -> None:
        board = sessions.running()
        sessions.draw(board, **times)
        assert sessions.close() == 0
        last = max(times.values())
        assert sessions.close(quiet_since=last + timedelta(seconds=1)) == 1
        assert sessions.row(WhiteboardSession, board).actual_end == last

    @pytest.mark.parametrize("ends", [timedelta(seconds=1), HOUR])
    def test_a_lesson_or_an_end_to_come_keeps_it(self, sessions: SessionFixture, ends: timedelta) -> None:
        """A lesson of many hours with little drawing."""
        lasting = sessions.lesson(NOW - 5 * HOUR, ends_at=NOW + ends, tutor_id=14, student_id=25)
        sessions.running(schedule_id=lasting)
        sessions.running(schedule_id=None, scheduled_end=NOW + ends)
        assert sessions.close() == 0
        assert sessions.close(now=NOW + ends) == 2

    @pytest.mark.parametrize("status", ["scheduled", "completed", "cancelled"])
    def test_only_what_runs_is_closed(self, sessions: SessionFixture, status: str) -> None:
        sessions.board(status=status, actual_start=NOW - 100 * HOUR)
        assert sessions.close() == 0

    def test_one_that_began_lately_is_kept(self, sessions: SessionFixture) -> None:
        sessions.running(HOUR)
        assert sessions.close() == 0

    def test_a_row_written_by_hand_without_start(self, sessions: SessionFixture) -> None:
        board = sessions.board(status="in_progress", created_at=NOW - 3 * HOUR)
        assert sessions.close() == 1
        assert sessions.row(WhiteboardSession, board).actual_end == NOW - 3 * HOUR

    def test_one_in_which_somebody_draws_right_now_is_kept(self, sessions: SessionFixture, database: Database) -> None:
        """Their stroke is not committed yet, so no query can see it; its reference to the session can be felt."""
        board = sessions.running()
        page_id = sessions.add(WhiteboardPage, session_id=board)
        stroke = {"page_id": page_id, "session_id": board, "stroke_type": "pen", "stroke_data": {}, "created_at": NOW}
        with database.transaction() as session:
            session.execute(insert(Stroke).values(stroke))
            assert sessions.close() == 0
        assert sessions.close() == 0
        assert sessions.status(board) == "in_progress"

    def test_its_tutor_ends_it_at_the_same_moment(self, sessions: SessionFixture, database: Database) -> None:
        board = sessions.running()
        with database.transaction() as session:
            end_session(session, sessions.school.tutor, board)
            assert sessions.close() == 0
        assert sessions.close() == 0
        assert sessions.last_event(board) == ("end", 11, "tutor")

    def test_many_in_batches_by_two_at_once(self, sessions: SessionFixture, database: Database) -> None:
        boards = [sessions.running(schedule_id=None) for _ in range(20)]
        both_hold_theirs = threading.Barrier(2, timeout=TIMEOUT)

        def close(_worker: int) -> int:
            with database.transaction() as session:
                closed = close_sessions(session, quiet_since=NOW - QUIET, now=NOW, after=0, most=10)
                both_hold_theirs.wait()
            return closed.sessions

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(close, range(2))) == [10, 10]
        ends = [sessions.last_event(board) for board in boards]
        assert ends == [("end", None, None)] * 20
