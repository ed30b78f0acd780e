"""Strokes imported from the platform, numbered by time across both sides of a call."""

from collections.abc import Collection, Sequence

from pydantic_core import to_json
from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.whiteboards.platform_stroke import PlatformStroke
from worker.whiteboards.renumber_strokes import renumber

_LOCK = text("SELECT id, session_id FROM whiteboard_pages WHERE id = ANY(:pages) ORDER BY id FOR NO KEY UPDATE")
# The ends of locked pages. Not the statement that locks: a statement sees only what was committed before it began. The
# last time is the whole board's, for which there is an index.
_ENDS = text(
    """
    SELECT page.id, page.session_id,
           greatest((SELECT max(stroke_order) FROM whiteboard_canvas_data
                      WHERE page_id = page.id AND is_deleted),
                    (SELECT max(stroke_order) FROM whiteboard_canvas_data
                      WHERE page_id = page.id AND NOT is_deleted), 0) AS highest,
           (SELECT max(created_at) FROM whiteboard_canvas_data WHERE session_id = page.session_id) AS latest
      FROM whiteboard_pages page WHERE page.id = ANY(CAST(:pages AS integer[]))
    """
)
# Numbers continue those of the page; the few strokes that belong before others are renumbered afterwards. On boards
# that are used here, a stroke that was also sent here is the same one, since the platform has no id for it. As jsonb: a
# stroke's data is then parsed once, where json takes a third longer.
_INSERT = text(
    """
    INSERT INTO whiteboard_canvas_data AS stroke (page_id, session_id, user_id, profile_id, profile_type, client_id,
                                                  stroke_type, stroke_data, stroke_order, is_deleted, deleted_at,
                                                  created_at)
    SELECT row.page_id, page.session_id, person.id, row.profile_id, row.profile_type, row.client_id,
           row.stroke_type, row.stroke_data,
           page.highest + row_number() OVER (PARTITION BY row.page_id ORDER BY row.created_at, row.number),
           row.is_deleted, CASE WHEN row.is_deleted THEN row.created_at END, row.created_at
      FROM jsonb_to_recordset(CAST(:strokes AS jsonb)) AS row (
               number bigint, page_id integer, user_id integer, profile_id integer,
               profile_type varchar, client_id varchar, stroke_type varchar, stroke_data jsonb, is_deleted boolean,
               created_at timestamptz)
      JOIN unnest(CAST(:pages AS integer[]), CAST(:sessions AS integer[]), CAST(:highest AS integer[]))
           AS page (id, session_id, highest) ON page.id = row.page_id
      LEFT JOIN users person ON person.id = row.user_id
     WHERE page.session_id <> ALL(CAST(:used AS integer[]))
        OR NOT EXISTS (SELECT FROM whiteboard_canvas_data own
                        WHERE own.page_id = row.page_id AND own.user_id = row.user_id
                          AND own.stroke_type = row.stroke_type AND own.stroke_data = row.stroke_data
                          AND own.client_id NOT LIKE 'platform-%')
     ORDER BY row.number
        ON CONFLICT (page_id, client_id) WHERE client_id IS NOT NULL DO UPDATE
       SET stroke_type = excluded.stroke_type, stroke_data = excluded.stroke_data,
           is_deleted = stroke.is_deleted OR excluded.is_deleted,
           deleted_at = coalesce(stroke.deleted_at, excluded.deleted_at)
     WHERE stroke.client_id LIKE 'platform-%'
    RETURNING id, page_id, client_id, xmax = 0 AS is_new
    """
)
_ADD_BYTES = text(
    """
    UPDATE whiteboard_pages page SET stroke_bytes = stroke_bytes + added.bytes
      FROM unnest(CAST(:pages AS integer[]), CAST(:bytes AS bigint[])) AS added (id, bytes)
     WHERE page.id = added.id
    """
)


def store_strokes(session: Session, strokes: Sequence[PlatformStroke], *, used: Collection[int]) -> dict[int, int]:
    """Store strokes and return our ids by the platform's; strokes that were also sent here are left out. Idempotent.

    `used` are the boards that people have joined here. Pages are locked in the order of ids.
    """
    if not strokes:
        return {}
    pages = sorted({stroke.page_id for stroke in strokes})
    session.execute(_LOCK, {"pages": pages})
    ends = session.execute(_ENDS, {"pages": pages}).all()
    # A client id is unique on a page; of two rows with the same one the first counts.
    named = {(stroke.page_id, stroke.client_id): stroke for stroke in reversed(strokes)}
    written = {key: _written(stroke) for key, stroke in sorted(named.items(), key=lambda item: item[1].platform_id)}
    values = {
        "strokes": f"[{','.join(written.values())}]",
        "pages": [end.id for end in ends],
        "sessions": [end.session_id for end in ends],
        "highest": [end.highest for end in ends],
        "used": list(used),
    }
    rows = session.execute(_INSERT, values).all()
    _add_bytes(session, [(row.page_id, len(written[row.page_id, row.client_id])) for row in rows if row.is_new])
    latest = {end.id: end.latest for end in ends if end.latest is not None}
    renumber(session, [named[row.page_id, row.client_id] for row in rows if row.is_new], latest)
    return {named[row.page_id, row.client_id].platform_id: row.id for row in rows}


def _written(stroke: PlatformStroke) -> str:
    """The row as JSON, with its data unchanged."""
    row = {
        "number": stroke.platform_id,
        "page_id": stroke.page_id,
        "user_id": stroke.user_id,
        "profile_id": stroke.profile_id,
        "profile_type": stroke.profile_type,
        "client_id": stroke.client_id,
        "stroke_type": stroke.stroke_type,
        "is_deleted": stroke.is_deleted,
        "created_at": stroke.created_at,
    }
    return f'{to_json(row).decode()[:-1]},"stroke_data":{stroke.stroke_data}}}'


def _add_bytes(session: Session, sizes: Sequence[tuple[int, int]]) -> None:
    of_page: dict[int, int] = {}
    for page_id, size in sizes:
        of_page[page_id] = of_page.get(page_id, 0) + size
    if of_page:
        session.execute(_ADD_BYTES, {"pages": list(of_page), "bytes": list(of_page.values())})
