"""Limit the unfinished jobs of a kind that one person may have, counted in the ledger when another is ordered."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.errors import TooManyRequests
from worker.jobs.orders.board_orders import ReplayBoard, SnapshotPage, SnapshotSession
from worker.jobs.orders.lesson_orders import CombineRecordings, PackLesson
from worker.jobs.orders.recording_orders import IngestRecording, MakePictures, MakeRenditions
from worker.settings import Settings

_RETRY_AFTER = 30

# Without the lock, two concurrent orders of a person would both find room for one.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('live-jobs ' || :principal, 0))")
_LIVE = text(
    """
    SELECT count(*) AS number, coalesce(bool_or(unique_key = :unique_key), false) AS same FROM jobs
     WHERE principal = :principal AND kind = :kind AND state IN ('queued', 'published', 'running', 'retryable')
    """
)


def most_live_jobs(settings: Settings) -> Mapping[str, int]:
    """The kinds that people order, and the maximum of live jobs of each for one person; 0: unlimited."""
    return {
        IngestRecording.kind: settings.limit_live_ingests,
        ReplayBoard.kind: settings.limit_live_replays,
        CombineRecordings.kind: settings.limit_live_combined,
        MakeRenditions.kind: settings.limit_live_renditions,
        MakePictures.kind: settings.limit_live_renditions,
        PackLesson.kind: settings.limit_live_snapshots,
        SnapshotPage.kind: settings.limit_live_snapshots,
        SnapshotSession.kind: settings.limit_live_snapshots,
    }


def require_room(
    session: Session, kind: str, *, principal: str, most: Mapping[str, int], unique_key: str | None = None
) -> None:
    """Raise TooManyRequests when the person already has the maximum of live jobs of `kind`.

    An order whose `unique_key` a live job has always passes: it returns that job instead of a new one.
    """
    if not most.get(kind):
        return
    session.execute(_LOCK, {"principal": principal})
    live = session.execute(_LIVE, {"principal": principal, "kind": kind, "unique_key": unique_key}).one()
    if live.number >= most[kind] and not live.same:
        raise TooManyRequests(
            f"{live.number} of your jobs of the kind {kind} are not done yet, the most there may be; wait for one.",
            limit="live-jobs",
            kind=kind,
            retry_after=_RETRY_AFTER,
        )
