"""Content digests of pages and boards; only a page or board with a different digest is redrawn.

A digest covers what is drawn (types and data of the strokes in their order, the page's background), not when or by
whom. PostgreSQL computes it, so that no strokes need to be transferred.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

# Part of every digest. Increment it when the same strokes are drawn differently: requested boards are then redrawn,
# under new object names.
EDITION = 2

# An SQL expression over a row `page` of board_pages. Each stroke is hashed by itself, so that the boundaries between
# strokes are unambiguous.
PAGE_DIGEST = f"""
    encode(sha256(
        convert_to(jsonb_build_array({EDITION}, page.background_color, page.background_image)::text, 'UTF8')
        || coalesce((SELECT string_agg(sha256(convert_to(stroke_type || ' ' || stroke_data::text, 'UTF8')), ''::bytea
                                       ORDER BY stroke_order, id)
                       FROM page_strokes WHERE page_id = page.id AND NOT is_deleted), ''::bytea)
    ), 'hex')
"""  # noqa: S608 - a number of this file

_OF_PAGE = text(f"SELECT {PAGE_DIGEST} FROM board_pages page WHERE id = :page_id")  # noqa: S608 - as above
_OF_PAGES = text(
    f"""
    SELECT id, page_number, page_title, {PAGE_DIGEST} AS digest FROM board_pages page
     WHERE session_id = :session_id ORDER BY page_number, id
    """  # noqa: S608 - as above
)
_TITLE = text("SELECT session_title FROM boards WHERE id = :session_id")


@dataclass(frozen=True)
class PageState:
    """A page and the digest of its current content."""

    page_id: int
    number: int
    title: str | None
    digest: str


def page_digest(session: Session, page_id: int) -> str | None:
    """The digest of the page's current content; None when there is no such page."""
    digest: str | None = session.scalar(_OF_PAGE, {"page_id": page_id})
    return digest


def page_states(session: Session, session_id: int) -> list[PageState]:
    """The pages of a session in their order, with the digests of their current content."""
    rows = session.execute(_OF_PAGES, {"session_id": session_id})
    return [PageState(row.id, row.page_number, row.page_title, row.digest) for row in rows]


def stored_title(session: Session, session_id: int) -> str | None:
    """The title of a session's document; None when there is no such session."""
    board = session.execute(_TITLE, {"session_id": session_id}).one_or_none()
    return None if board is None else board_title(board.session_title, session_id)


def board_title(session_title: str | None, session_id: int) -> str:
    """The title of a board's document; a session without a title gets a default."""
    return session_title or f"Whiteboard {session_id}"


def without_background(digest: str) -> str:
    """The digest of a page that is drawn without its background image, which could not be read.

    No stored page has it, so the files are not current, and the next request draws the page again.
    """
    return hashlib.sha256(f"{digest} without its background".encode()).hexdigest()


def board_digest(title: str, pages: Sequence[PageState]) -> str:
    """The digest of a document: its title, the titles of its pages, and their content."""
    shown = [EDITION, title, [[page.number, page.title, page.digest] for page in pages]]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()
