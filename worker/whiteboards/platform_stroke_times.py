"""Correct the times of imported strokes, which were converted in another time zone when they were stored."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.whiteboards.completed_boards import correct_ends
from worker.whiteboards.platform_stroke import PlatformStroke
from worker.whiteboards.renumber_strokes import renumber_since

_LOCK = text("SELECT id FROM whiteboard_pages WHERE id = ANY(:pages) ORDER BY id FOR NO KEY UPDATE")
# A stroke that was deleted there has its own time as that of its deletion.
_CORRECT = text(
    """
    UPDATE whiteboard_canvas_data stroke
       SET created_at = row.created_at,
           deleted_at = CASE WHEN stroke.deleted_at = stroke.created_at THEN row.created_at ELSE stroke.deleted_at END
      FROM unnest(CAST(:ids AS integer[]), CAST(:moments AS timestamptz[])) AS row (id, created_at)
     WHERE stroke.id = row.id AND stroke.created_at <> row.created_at
    RETURNING stroke.page_id, stroke.session_id
    """
)
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


def correct_stroke_times(session: Session, strokes: Collection[PlatformStroke], ids: Mapping[int, int]) -> None:
    """Correct the times of those of these strokes that are stored, and number their pages by them. Idempotent.

    `ids` are our ids by the platform's. Pages are locked in the order of ids, also those of strokes not stored yet.
    """
    moments = {ids[stroke.platform_id]: stroke.created_at for stroke in strokes if stroke.platform_id in ids}
    if not moments:
        return
    session.execute(_LOCK, {"pages": sorted({stroke.page_id for stroke in strokes})})
    changed = session.execute(_CORRECT, {"ids": list(moments), "moments": list(moments.values())}).all()
    if changed:
        renumber_since(session, {row.page_id: _BEGINNING for row in changed})
        correct_ends(session, {row.session_id for row in changed})
