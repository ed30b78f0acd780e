"""Finds pages and boards whose snapshots are out of date: cheap conditions select candidates, the digest decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from models.snapshots import Snapshot
from worker.canvases.snapshots.digest import PAGE_DIGEST, board_digest, page_states, stored_title
from worker.canvases.snapshots.names import SnapshotTarget
from worker.canvases.snapshots.rows import confirm_snapshots
from worker.jobs.orders.board_orders import SnapshotPage, SnapshotSession

# A stroke's created_at is the start of its transaction, but it is visible only after the commit: look back this far.
_OVERLAP_SECONDS = 300
# A job that has just failed would probably fail again: wait an hour before the next attempt.
_REST_SECONDS = 3600
# Strokes from phones that were offline arrive late.
_LATE_SECONDS = 86_400

_TOUCHED = """
    EXISTS (SELECT FROM page_strokes stroke WHERE stroke.{whose}
               AND (stroke.created_at >= taken.taken_at - make_interval(secs => :overlap)
                    OR stroke.deleted_at >= taken.taken_at - make_interval(secs => :overlap)))
"""
_RESTS = """
    EXISTS (SELECT FROM unsuccessful_jobs
             WHERE subject = {subject} AND kind = :kind AND finished_at > now() - make_interval(secs => :rest))
"""
# All images of a page are written in one transaction, so checking one of them is enough.
_PAGES = text(
    f"""
    WITH page AS MATERIALIZED (
        SELECT page.*, taken.content_digest AS shown
          FROM boards board JOIN board_pages page ON page.session_id = board.id
          LEFT JOIN whiteboard_snapshots taken ON taken.page_id = page.id AND taken.name = 'png'
         WHERE board.status = 'in_progress' AND page.id > :after
           AND (taken.id IS NULL OR page.updated_at >= taken.taken_at - make_interval(secs => :overlap)
                OR {_TOUCHED.format(whose="page_id = page.id")})
           AND NOT {_RESTS.format(subject="'page:' || page.id")}
         ORDER BY page.id LIMIT :most
    )
    SELECT id, session_id, now() AS at, shown, {PAGE_DIGEST} AS digest FROM page ORDER BY id
    """  # noqa: S608 - expressions of our own
)
_SESSIONS = text(
    f"""
    SELECT board.id FROM boards board
      LEFT JOIN whiteboard_snapshots taken ON taken.session_id = board.id AND taken.name = 'pdf'
     WHERE board.status = 'completed' AND board.actual_end > now() - make_interval(secs => :late) AND board.id > :after
       AND EXISTS (SELECT FROM board_pages page WHERE page.session_id = board.id)
       AND (taken.id IS NULL OR board.updated_at >= taken.taken_at - make_interval(secs => :overlap)
            OR {_TOUCHED.format(whose="session_id = board.id")})
       AND NOT {_RESTS.format(subject="'session:' || board.id")}
     ORDER BY board.id LIMIT :most
    """  # noqa: S608 - as above
)


@dataclass(frozen=True)
class ChangedBatch:
    """The ids to draw, and the id after which the next batch starts; None for the last batch."""

    ids: Sequence[int]
    last: int | None


def changed_pages(session: Session, *, after: int, most: int) -> ChangedBatch:
    """Pages of running sessions with outdated images, among the next `most` candidates whose id is above `after`."""
    values = {"after": after, "most": most, "overlap": _OVERLAP_SECONDS, "rest": _REST_SECONDS}
    rows = session.execute(_PAGES, {**values, "kind": SnapshotPage.kind}).all()
    for row in rows:
        if row.digest == row.shown:
            # Drawn and undone again: the image is up to date and need not be checked again.
            confirm_snapshots(session, SnapshotTarget(row.session_id, row.id), row.digest, row.at)
    changed = [row.id for row in rows if row.digest != row.shown]
    return ChangedBatch(changed, rows[-1].id if len(rows) == most else None)


def changed_boards(session: Session, *, after: int, most: int) -> ChangedBatch:
    """Sessions that ended within a day and have outdated images or documents; parameters as in `changed_pages`."""
    values = {"after": after, "most": most, "overlap": _OVERLAP_SECONDS, "rest": _REST_SECONDS, "late": _LATE_SECONDS}
    ids = session.scalars(_SESSIONS, {**values, "kind": SnapshotSession.kind}).all()
    now = session.scalars(select(func.now())).one()
    changed = [session_id for session_id in ids if not _is_shown(session, session_id, now)]
    return ChangedBatch(changed, ids[-1] if len(ids) == most else None)


def _is_shown(session: Session, session_id: int, now: datetime) -> bool:
    """Whether images and document are up to date; if so, records that they were confirmed at `now`."""
    states = page_states(session, session_id)
    digests: dict[int | None, str] = {state.page_id: state.digest for state in states}
    digests[None] = board_digest(stored_title(session, session_id) or "", states)
    rows = session.scalars(select(Snapshot).where(Snapshot.session_id == session_id, Snapshot.name.in_(("png", "pdf"))))
    if {row.page_id: row.content_digest for row in rows} != digests:
        return False
    for page_id, digest in digests.items():
        confirm_snapshots(session, SnapshotTarget(session_id, page_id), digest, now)
    return True
