"""Pages of boards imported from the platform. Nobody is notified."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.whiteboards.platform_boards import LOCK_BOARDS, iso

_CREATE_PAGES = text(
    """
    INSERT INTO whiteboard_pages (session_id, page_number, page_title, background_color, is_active, created_at,
                                  updated_at)
    SELECT session_id, number, left(title, 200), left(coalesce(colour, '#FFFFFF'), 20), false,
           coalesce(created_at, now()), coalesce(created_at, now())
      FROM json_to_recordset(CAST(:rows AS json)) AS row (
               place integer, session_id integer, number integer, title text, colour text, created_at timestamptz)
     ORDER BY place
        ON CONFLICT (session_id, page_number) DO NOTHING
    """
)
# Where the other side's page was stored first, it gets the title and colour of the leading side's.
_CHANGE_PAGES = text(
    """
    UPDATE whiteboard_pages page
       SET page_title = left(row.title, 200), background_color = left(coalesce(row.colour, '#FFFFFF'), 20),
           updated_at = now()
      FROM json_to_recordset(CAST(:rows AS json)) AS row (session_id integer, number integer, title text, colour text)
     WHERE page.session_id = row.session_id AND page.page_number = row.number
       AND (page.page_title, page.background_color)
           IS DISTINCT FROM (left(row.title, 200), left(coalesce(row.colour, '#FFFFFF'), 20))
    """
)
_DATE_PAGES = text(
    """
    UPDATE whiteboard_pages page SET created_at = row.created_at
      FROM json_to_recordset(CAST(:rows AS json)) AS row (session_id integer, number integer, created_at timestamptz)
     WHERE page.session_id = row.session_id AND page.page_number = row.number AND page.created_at <> row.created_at
    """
)
_FIND_PAGES = text("SELECT id, session_id, page_number FROM whiteboard_pages WHERE session_id = ANY(:ids)")
# The page shown last there, unless somebody has turned pages here; a board without an active page shows its first.
_SHOW_PAGES = text(
    """
    WITH wanted AS (
        SELECT DISTINCT ON (page.session_id) page.session_id, page.id
          FROM whiteboard_pages page
          LEFT JOIN unnest(CAST(:shown_sessions AS integer[]), CAST(:shown_numbers AS integer[]))
                 AS shown (session_id, number)
            ON shown.session_id = page.session_id AND shown.number = page.page_number
         WHERE page.session_id = ANY(:ids)
           AND (shown.number IS NOT NULL
                OR NOT EXISTS (SELECT FROM whiteboard_pages other
                                WHERE other.session_id = page.session_id AND other.is_active))
           AND NOT EXISTS (SELECT FROM whiteboard_events event
                            WHERE event.session_id = page.session_id AND event.kind = 'page')
         ORDER BY page.session_id, shown.number DESC NULLS LAST, page.page_number
    )
    UPDATE whiteboard_pages page SET is_active = (page.id = wanted.id)
      FROM wanted
     WHERE page.session_id = wanted.session_id AND page.is_active <> (page.id = wanted.id)
    """
)


class PageKey(NamedTuple):
    """A page of a board, by the id of our session."""

    session_id: int
    number: int


@dataclass(frozen=True)
class PlatformPage:
    """A platform page.

    `leads`: of the side whose titles and colours count; `dates`: of the side whose time counts, also that of a page
    that only one side has; `is_shown`: the page shown last there.
    """

    key: PageKey
    title: str | None
    colour: str | None
    leads: bool
    dates: bool
    is_shown: bool
    created_at: datetime | None


def store_pages(session: Session, pages: Sequence[PlatformPage]) -> dict[PageKey, int]:
    """Insert the pages that their boards lack; returns the id of each. Idempotent.

    Each board then has one active page.
    """
    if not pages:
        return {}
    # If both sides have a page with the same number, the leading side's counts.
    first = {page.key: page for page in sorted(pages, key=lambda page: (page.key, page.leads))}
    session_ids = sorted({page.key.session_id for page in pages})
    session.execute(LOCK_BOARDS, {"ids": session_ids})
    rows = [_page_row(place, page) for place, page in enumerate(first.values())]
    session.execute(_CREATE_PAGES, {"rows": json.dumps(rows)})
    leading = [row for row, page in zip(rows, first.values(), strict=True) if page.leads]
    session.execute(_CHANGE_PAGES, {"rows": json.dumps(leading)})
    dating = [row for row, page in zip(rows, first.values(), strict=True) if page.dates]
    session.execute(_DATE_PAGES, {"rows": json.dumps(dating)})
    _show(session, session_ids, [page.key for page in first.values() if page.is_shown])
    page_rows = session.execute(_FIND_PAGES, {"ids": session_ids})
    return {PageKey(row.session_id, row.page_number): row.id for row in page_rows}


def add_first_pages(session: Session, session_ids: Collection[int]) -> None:
    """Give boards without a page their first one. Idempotent."""
    pages = [PlatformPage(PageKey(each, 1), "Page 1", None, True, False, True, None) for each in session_ids]
    page_rows = session.execute(_FIND_PAGES, {"ids": list(session_ids)})
    with_pages = {row.session_id for row in page_rows}
    store_pages(session, [page for page in pages if page.key.session_id not in with_pages])


def _show(session: Session, session_ids: Sequence[int], shown: Sequence[PageKey]) -> None:
    values = {"shown_sessions": [key.session_id for key in shown], "shown_numbers": [key.number for key in shown]}
    session.execute(_SHOW_PAGES, {"ids": list(session_ids), **values})


def _page_row(place: int, page: PlatformPage) -> dict[str, Any]:
    return {
        "place": place,
        "session_id": page.key.session_id,
        "number": page.key.number,
        "title": page.title,
        "colour": page.colour,
        "created_at": iso(page.created_at),
    }
