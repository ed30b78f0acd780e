"""How a child claims the jobs of its messages: it waits while the database is down, and respects lanes."""

from dataclasses import dataclass
from uuid import UUID

from worker.database import Database
from worker.jobs.runs.claim import Claim, claim, new_token, reclaim
from worker.jobs.runs.lanes import claim_in_lane
from worker.jobs.runs.unstarted_jobs import UnstartedJobs
from worker.jobs.runs.wait_for_database import retry_while_database_down
from worker.logs import get_logger

_log = get_logger(__name__)


@dataclass(frozen=True)
class Claimer:
    """Claims for `lease` seconds. `children` of its worker share lanes; None: lanes are ignored."""

    database: Database
    worker: str
    lease: float
    children: int | None

    def claim(self, job_id: UUID) -> Claim | None:
        """Claim the job; returns None and logs a line when it cannot be claimed.

        A worker that did not wait would empty the broker while the database restarts, and jobs whose messages are lost
        that way are published again only when their publication lease expires.
        """
        token = new_token()
        claimed = retry_while_database_down(
            lambda: self._claim(job_id, token),
            seconds=self.lease,
            again=lambda: self._claim(job_id, token) or self._reclaim(job_id, token),
        )
        if claimed is None:
            _log.info("message_refused", job_id=str(job_id))
        return claimed

    def claim_next(self, unstarted: UnstartedJobs) -> Claim | None:
        """Claim the first of these jobs that can be claimed."""
        while (job_id := unstarted.peek()) is not None:
            unstarted.remove(job_id)
            claimed = self.claim(job_id)
            if claimed is not None:
                return claimed
        return None

    def _claim(self, job_id: UUID, token: UUID) -> Claim | None:
        ignored = self.children is None
        with self.database.statement() as session:
            claimed = claim(session, job_id, worker=self.worker, lease=self.lease, lanes=ignored, token=token)
        if claimed is not None or self.children is None:
            return claimed
        with self.database.transaction() as session:
            lane_claim = claim_in_lane(
                session, job_id, worker=self.worker, lease=self.lease, children=self.children, token=token
            )
        if isinstance(lane_claim, str):
            _log.info("lane_full", job_id=str(job_id), lane=lane_claim)
            return None
        return lane_claim

    def _reclaim(self, job_id: UUID, token: UUID) -> Claim | None:
        with self.database.statement() as session:
            return reclaim(session, job_id, token, lease=self.lease)
