"""Convert the sessions of a call to a board, and report the outcome."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.people import PROFILE_TABLES
from worker.platform.calls import CallMember, call_session
from worker.platform.connection import Row
from worker.platform.refusals import Refusal
from worker.whiteboards.platform_boards import PlatformBoard
from worker.whiteboards.sessions import Participant
from worker.workflows.platform_import.boards.board_calls import BoardCall
from worker.workflows.platform_import.kind import ImportOutcome, Pull
from worker.workflows.platform_import.unknown_words import note_status
from worker.workflows.platform_import.words import board_status

_PERMISSIONS = ("can_draw", "can_erase", "can_write")


def stored_members(session: Session, sides: Collection[CallMember]) -> frozenset[CallMember]:
    """Those of the profiles that are stored here, active or not."""
    stored: set[CallMember] = set()
    for profile_type, table in PROFILE_TABLES.items():
        ids = [side.profile_id for side in sides if side.profile_type == profile_type]
        if ids:
            known_ids = session.scalars(select(table.id).where(table.id == func.any(ids)))
            stored |= {CallMember(profile_type, profile_id) for profile_id in known_ids}
    return frozenset(stored)


def convert_board(
    call: BoardCall,
    lead: CallMember,
    there: Collection[CallMember],
    full: Mapping[int, Row],
    board_id: int | None,
    pull: Pull,
) -> PlatformBoard:
    """The board of a call, with the title and other texts of the leading session."""
    row = full[call.leading.id]
    others = dict.fromkeys(side for each in call.sessions for side in each.people if side != lead and side in there)
    dated = [each for each in call.sessions if full[each.id].created_at is not None]
    first = min(dated, key=lambda each: full[each.id].created_at, default=call.leading)
    created, opener = full[first.id].created_at, first.host
    return PlatformBoard(
        board_id,
        host=_participant(lead),
        opener=_participant(opener) if opener is not None and opener in there else None,
        participants=[_participant(side) for side in others],
        title=row.title,
        description=row.description,
        status=board_status(row.status) or "in_progress",
        permissions=_permissions(row.permissions),
        scheduled_start=pull.written_at(row.scheduled_start),
        scheduled_end=pull.written_at(row.scheduled_end),
        actual_start=pull.written_at(row.actual_start),
        actual_end=pull.written_at(row.actual_end),
        created_at=pull.written_at(created),
    )


def _participant(side: CallMember) -> Participant:
    return Participant(side.profile_id, side.profile_type)


def _permissions(stored: object) -> dict[str, bool]:
    given = stored if isinstance(stored, Mapping) else {}
    return {name: given.get(name) is True for name in _PERMISSIONS}


def board_outcome(row: Row, board_id: int | None, there: Collection[CallMember]) -> ImportOutcome:
    """What became of a session: its board, or why it has none."""
    people = call_session(row).people
    missing = [f"{side.profile_type} {side.profile_id}" for side in people if side not in there]
    if board_id is None:
        reason = f"nobody leads it: {', '.join(missing) or 'no host'} is no profile with a user"
        return ImportOutcome(
            row.id, None, (Refusal("nobodys", reason, "Give the profile an account on the platform."),)
        )
    return ImportOutcome(row.id, board_id, tuple(_remarks(row, missing)))


def _remarks(row: Row, missing: Sequence[str]) -> Iterable[Refusal]:
    if missing:
        reason = f"{', '.join(missing)} left out: no such profile with a user"
        yield Refusal("people-left-out", reason, "Give the profile an account on the platform.", is_refused=False)
    yield from note_status(row.status, board_status(row.status), "in progress")
