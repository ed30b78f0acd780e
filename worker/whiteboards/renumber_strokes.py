"""Renumber the strokes of a page by their times."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.whiteboards.platform_stroke import PlatformStroke

# By time, then by the platform's ids; strokes of one batch sent here share a time and keep their order.
_RENUMBER = text(
    r"""
    WITH numbered AS (
        SELECT stroke.id, earlier.number + row_number() OVER (
                   PARTITION BY stroke.page_id
                   ORDER BY stroke.created_at,
                            CASE WHEN stroke.client_id ~ '^platform-\d{1,18}$'
                                 THEN CAST(substr(stroke.client_id, 10) AS bigint) END NULLS LAST,
                            stroke.stroke_order, stroke.id) AS place
          FROM unnest(CAST(:pages AS integer[]), CAST(:since AS timestamptz[])) AS page (id, since)
         CROSS JOIN LATERAL (SELECT count(*) AS number FROM whiteboard_canvas_data
                              WHERE page_id = page.id AND created_at < page.since) AS earlier
          JOIN whiteboard_canvas_data stroke ON stroke.page_id = page.id AND stroke.created_at >= page.since
    )
    UPDATE whiteboard_canvas_data stroke SET stroke_order = numbered.place
      FROM numbered
     WHERE numbered.id = stroke.id AND stroke.stroke_order <> numbered.place
    """
)


def renumber(session: Session, new: Sequence[PlatformStroke], latest: Mapping[int, datetime]) -> None:
    """Renumber the pages on which a new stroke is not later than all existing ones, whose last is at `latest`."""
    since: dict[int, datetime] = {}
    for stroke in new:
        since[stroke.page_id] = min(stroke.created_at, since.get(stroke.page_id, stroke.created_at))
    between = {page: first for page, first in since.items() if page in latest and first <= latest[page]}
    if between:
        renumber_since(session, between)


def renumber_since(session: Session, since: Mapping[int, datetime]) -> None:
    """Renumber the strokes of these pages from these times on."""
    session.execute(_RENUMBER, {"pages": list(since), "since": list(since.values())})
