"""Adopt a platform's whiteboard session when it is first named: both sides of a call get one board here."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.whiteboards import WhiteboardSession
from worker import clock
from worker.access.callers import Caller, UserCaller
from worker.access.people_records import PersonRecord
from worker.access.people_store import store_people
from worker.access.session_access import session_for
from worker.errors import Forbidden, InvalidInput, NotFound
from worker.platform.calls import CallMember, call_session, match_counterparts, sessions_near
from worker.platform.catalog import Catalog
from worker.platform.connection import PlatformConnection, Row
from worker.platform.links import Link, lock_kind, our_ids, write_links
from worker.platform.people import PlatformPeople
from worker.platform.zone import PlatformZone
from worker.whiteboards.platform_pages import add_first_pages
from worker.workflows.context import WorkerContext
from worker.workflows.platform_import.boards.pages import Pages
from worker.workflows.platform_import.boards.sessions import BOARD, Boards
from worker.workflows.platform_import.kind import IncomingRow, Kind, Pull


@dataclass(frozen=True)
class PlatformCall:
    """A call that was read from the platform: its sessions, their pages, and the people who take part."""

    pull: Pull
    sessions: Sequence[Row]
    pages: Sequence[Row]
    people: Sequence[PersonRecord]


def read_call(context: WorkerContext, caller: Caller, platform_session_id: int) -> PlatformCall | None:
    """Read the call from the platform; None if it was adopted before and need not be read.

    Raises Forbidden for callers without an account there, InvalidInput without a platform, NotFound for a session that
    does not exist or is not the caller's, Unavailable while the platform does not answer.
    """
    if not isinstance(caller, UserCaller):
        raise Forbidden("Only tutors and students can host a session.")
    connection, people, zone = context.platform_connection, context.platform_people, context.platform_zone
    if connection is None or people is None or zone is None:
        raise InvalidInput("platform_session_id needs a platform (PLATFORM_DATABASE_URL); there is none here.")
    with context.database.transaction() as session:
        if our_ids(session, BOARD, [platform_session_id]):
            return None
    pull = _pull(connection, zone, context.settings.timezone)
    return _read(pull, people, caller, platform_session_id)


def adopt_board(
    session: Session, caller: Caller, platform_session_id: int, call: PlatformCall | None
) -> tuple[WhiteboardSession, bool]:
    """The board of the call, and whether it is new. Idempotent, even when both sides adopt it at the same time.

    Raises NotFound for a board that is not the caller's, InvalidInput when nobody in the call has an account.
    """
    lock_kind(session, BOARD)
    of_call = [platform_session_id] if call is None else [row.id for row in call.sessions]
    before = our_ids(session, BOARD, of_call)
    if call is not None and platform_session_id not in before:
        _store(session, call)
    board_id = our_ids(session, BOARD, [platform_session_id]).get(platform_session_id)
    if board_id is None:
        raise InvalidInput(f"Nobody who leads the platform's session {platform_session_id} has an account there.")
    return session_for(session, caller, board_id), not before


def _pull(connection: PlatformConnection, zone: PlatformZone, timezone: str) -> Pull:
    # While the zone is unproven, times are left out here; the import adds them once it is proven.
    return Pull(connection, Catalog.read(connection), clock.now(), zone.proof().zone, timezone)


def _read(pull: Pull, people: PlatformPeople, caller: UserCaller, platform_session_id: int) -> PlatformCall:
    if not Boards.source.is_there(pull.catalog) or not Pages.source.is_there(pull.catalog):
        raise InvalidInput("This state of the platform has no whiteboard sessions by profile.")
    near = sessions_near(pull.connection, pull.catalog, [platform_session_id])
    ids = [platform_session_id, *filter(None, [match_counterparts(near).get(platform_session_id)])]
    rows = pull.reader(Boards.source).rows_of(ids)
    sides = {side for row in rows for side in call_session(row).people}
    if not sides & _profiles(caller):
        raise NotFound(f"There is no whiteboard session {platform_session_id} of yours on the platform.")
    pages = pull.reader(Pages.source).rows_with(("session_id",), [(each,) for each in ids])
    return PlatformCall(pull, rows, pages, list(people.read(people.owners(sides)).values()))


def _profiles(caller: UserCaller) -> set[CallMember]:
    named = (("tutor", caller.tutor_id), ("student", caller.student_id), ("parent", caller.parent_id))
    return {CallMember(profile_type, profile_id) for profile_type, profile_id in named if profile_id is not None}


def _store(session: Session, call: PlatformCall) -> None:
    """Store the call as the import would, with the digests by which the import recognises these rows."""
    store_people(session, call.people, read_at=call.pull.now)
    board_ids = _store_rows(session, Boards(), call.sessions, call.pull)
    lock_kind(session, Pages.name)
    _store_rows(session, Pages(), call.pages, call.pull)
    add_first_pages(session, board_ids)


def _store_rows(session: Session, kind: Kind, rows: Sequence[Row], pull: Pull) -> list[int]:
    links = our_ids(session, kind.name, [row.id for row in rows])
    outcomes = kind.store(session, [IncomingRow(row, links.get(row.id)) for row in rows], pull)
    stored = [(row, outcome.id) for row, outcome in zip(rows, outcomes, strict=True) if outcome.id is not None]
    write_links(session, kind.name, [Link(row.id, our_id, kind.digest(row, pull)) for row, our_id in stored])
    return sorted({our_id for _, our_id in stored})
