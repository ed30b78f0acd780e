"""Strokes of boards. Each side of a call numbers its own from one, so here they are numbered by their times."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic_core import to_json
from sqlalchemy.orm import Session

from models.states import PROFILE_TYPES, STROKE_TYPES
from worker.errors import InvalidInput
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.board_orders import SnapshotSession
from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.links import Link, our_ids
from worker.platform.loaders import parse_json
from worker.platform.refusals import Refusal
from worker.platform.source import Source
from worker.whiteboards.completed_boards import completed_boards
from worker.whiteboards.drawers import Drawer, drawers_since
from worker.whiteboards.platform_stroke import PlatformStroke
from worker.whiteboards.platform_stroke_times import correct_stroke_times
from worker.whiteboards.platform_strokes import store_strokes
from worker.whiteboards.stroke_validation import NewStroke, accepted_stroke
from worker.workflows.platform_import.boards.pages import PAGE
from worker.workflows.platform_import.boards.plain_lines import is_plain_line
from worker.workflows.platform_import.boards.sessions import BOARD, without_board
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull

_TABLE = "whiteboard_canvas_data"
# A `client_id`, except those that rows without one get here.
_NAME = re.compile(r"(?!platform-)[A-Za-z0-9._~-]{1,64}")
# The maximum difference between the platform's clock and ours.
_CLOCKS_DIFFER = timedelta(seconds=5)


class Strokes(Kind):
    """Strokes, which are only ever added: nothing there changes or deletes one."""

    name = "stroke"
    source = Source(
        _TABLE,
        {
            "id": Column(_TABLE, "id", "integer", required=True),
            "page_id": Column(_TABLE, "page_id", "integer", required=True),
            "session_id": Column(_TABLE, "session_id", "integer", required=True),
            "user_id": Column(_TABLE, "user_id", "integer"),
            "profile_type": Column(_TABLE, "profile_type", "varchar"),
            "profile_id": Column(_TABLE, "profile_id", "integer"),
            "stroke_type": Column(_TABLE, "stroke_type", "varchar", required=True),
            "stroke_data": Column(_TABLE, "stroke_data", "jsonb", required=True),
            "is_deleted": Column(_TABLE, "is_deleted", "boolean"),
            "created_at": Column(_TABLE, "created_at", "timestamp", required=True),
        },
        changed=(Column(_TABLE, "created_at", "timestamp"),),
        only_arrives=True,
        # Most strokes are stored unchanged.
        as_text=frozenset({"stroke_data"}),
    )

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        read = [incoming.row for incoming in rows]
        pages = our_ids(session, PAGE, {row.page_id for row in read})
        boards = our_ids(session, BOARD, {row.session_id for row in read})
        converted = {row.id: _stroke(row, pages, boards, pull) for row in read}
        refused = {row_id: each for row_id, each in converted.items() if isinstance(each, Refusal)}
        strokes = [each for each in converted.values() if isinstance(each, PlatformStroke)]
        correct_stroke_times(session, strokes, {each.row.id: each.id for each in rows if each.id is not None})
        drawers = drawers_since(session, boards.values())
        wanted = [stroke for stroke in strokes if not _was_sent_here(stroke, drawers)]
        ids = store_strokes(session, wanted, used={drawer.session_id for drawer in drawers})
        for board_id in completed_boards(session, {stroke.session_id for stroke in wanted}):
            enqueue(session, SnapshotSession(board_id))
        # Strokes whose names the platform's script gave are not stored again, and keep their links.
        return [_outcome(row.id, ids.get(row.id, row_id), refused.get(row.id)) for row, row_id in rows]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """Nothing to remove: the platform deletes a stroke only with its board, or with the account that drew it."""


def _stroke(row: Row, pages: Mapping[int, int], boards: Mapping[int, int], pull: Pull) -> PlatformStroke | Refusal:
    if row.page_id not in pages or row.session_id not in boards:
        return without_board(row.session_id)
    if row.stroke_type not in STROKE_TYPES:
        return _undrawable(f"a stroke of type {row.stroke_type!r}")
    try:
        name, data = _drawn(row)
    except InvalidInput as error:
        return _undrawable(error.detail)
    has_profile = row.profile_id is not None and row.profile_type in PROFILE_TYPES
    return PlatformStroke(
        row.id,
        pages[row.page_id],
        boards[row.session_id],
        row.user_id,
        row.profile_type if has_profile else None,
        row.profile_id if has_profile else None,
        row.stroke_type,
        data,
        is_deleted=row.is_deleted is True,
        created_at=pull.written_at(row.created_at) or pull.now,
        name=name,
    )


def _drawn(row: Row) -> tuple[str | None, str]:
    """The `client_id` that the script of the platform's pages put into the data, and the data without it as JSON text.

    Raises InvalidInput for a stroke that cannot be drawn.
    """
    if row.stroke_type != "text" and is_plain_line(row.stroke_data):
        return None, row.stroke_data
    try:
        drawn = parse_json(row.stroke_data)
    except RecursionError as error:
        raise InvalidInput("stroke_data is nested too deeply") from error
    if not isinstance(drawn, dict):
        raise InvalidInput("stroke_data is not an object")
    name = drawn.pop("client_id", None)
    accepted = accepted_stroke(NewStroke(f"platform-{row.id}", row.stroke_type, drawn))
    is_name = isinstance(name, str) and _NAME.fullmatch(name) is not None
    return (name if is_name else None), to_json(accepted.stroke_data).decode()


def _undrawable(reason: str) -> Refusal:
    return Refusal("undrawable", reason, "Nothing: the platform's own page cannot draw it either.")


def _was_sent_here(stroke: PlatformStroke, drawers: Mapping[Drawer, datetime]) -> bool:
    """Whether the drawer had joined the board here: then their page has sent or undone it, or will still send it."""
    if stroke.profile_type is None or stroke.profile_id is None:
        return False
    joined_at = drawers.get(Drawer(stroke.session_id, stroke.profile_type, stroke.profile_id))
    return joined_at is not None and stroke.created_at >= joined_at - _CLOCKS_DIFFER


def _outcome(platform_id: int, stroke_id: int | None, refusal: Refusal | None) -> ImportOutcome:
    return ImportOutcome(platform_id, stroke_id, () if refusal is None else (refusal,))
