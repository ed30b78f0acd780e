"""The ledger: PostgreSQL owns every job, Redis only carries its id.

A job is queued in the transaction that needs it, claimed under a fencing token (`run_token`), and ended once.
The outcome of each attempt is appended to `job_attempts` and never changed.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, String, Uuid, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import DDL

from models.base import Base, created_at, words
from models.states import ATTEMPT_OUTCOMES, JOB_ACTIONS, JOB_FINISHED, JOB_LIVE, JOB_STATES

# UUID version 7: new ids and tokens are in the same few pages of an index. PostgreSQL has it built in from 18 on.
_TIME_ORDERED_UUID = """
    CREATE OR REPLACE FUNCTION time_ordered_uuid() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
        SELECT encode(set_bit(set_bit(overlay(
            uuid_send(gen_random_uuid())
            PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6
        ), 52, 1), 53, 1), 'hex')::uuid
    $$
"""
event.listen(Base.metadata, "before_create", DDL(_TIME_ORDERED_UUID))  # type: ignore[no-untyped-call]


def _in(states: tuple[str, ...]) -> str:
    return "state IN ({})".format(", ".join(f"'{state}'" for state in states))


class Job(Base):
    """A background job, from its order to its end."""

    __tablename__ = "jobs"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, server_default=text("time_ordered_uuid()"))
    # The kind of its order, e.g. `recordings.ingest`; also the name of the Celery task that runs it.
    kind: Mapped[str]
    queue: Mapped[str] = mapped_column(server_default="default")
    # Who ordered it: `user:1`, `operator:3`, `beat` or `system`.
    principal: Mapped[str] = mapped_column(server_default="system")
    # What it is about, e.g. `recording:12`.
    subject: Mapped[str | None]
    args: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    state: Mapped[str] = mapped_column(server_default="queued")
    # 0 is the highest.
    priority: Mapped[int] = mapped_column(server_default=text("5"))
    # Incremented when a run is claimed, so that a run that kills its worker counts, too.
    attempt: Mapped[int] = mapped_column(server_default=text("0"))
    max_attempts: Mapped[int] = mapped_column(server_default=text("5"))
    # Seconds one run may take; the worker kills it 30 s later.
    time_limit: Mapped[int] = mapped_column(server_default=text("270"))
    # Not before this instant.
    run_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    # At most one live job has a given key.
    unique_key: Mapped[str | None]
    # The fencing token of the current run: every write of that run carries it.
    run_token: Mapped[UUID | None] = mapped_column(Uuid)
    # The worker process (one name per process start) that runs it.
    worker: Mapped[str | None]
    # When a published or running job is regarded as lost.
    lease_until: Mapped[datetime | None]
    # How often it was published since it was last claimed: the published lease doubles with it.
    publications: Mapped[int] = mapped_column(server_default=text("0"))
    cancel_requested_at: Mapped[datetime | None]
    # Percent, 0 to 100.
    progress: Mapped[int] = mapped_column(server_default=text("0"))
    progress_note: Mapped[str | None]
    # Incremented with every visible change; the id of server-sent events.
    progress_seq: Mapped[int] = mapped_column(server_default=text("0"))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    # A problem document (RFC 9457).
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[datetime] = created_at()
    published_at: Mapped[datetime | None]
    # Start of the latest run.
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    # Not published before this instant, after the broker refused it. `run_at` is unchanged: the job is still due.
    publish_at: Mapped[datetime | None]
    # Jobs of one lane take at most half of a worker's children; NULL: not limited.
    lane: Mapped[str | None]
    # Its size relative to others of its lane, e.g. bytes of its recording; 0: unknown.
    weight: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    # `X-Request-ID` of the request that ordered it, directly or through another job; in every log line of its runs.
    request_id: Mapped[str | None]
    # The span of the request or job that ordered it (W3C trace context); NULL where nothing is traced.
    traceparent: Mapped[str | None] = mapped_column(String(55))

    __table_args__ = (
        words("state", JOB_STATES),
        CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
        CheckConstraint(f"(finished_at IS NOT NULL) = ({_in(JOB_FINISHED)})", name="finished"),
        CheckConstraint("(run_token IS NOT NULL) = (state = 'running')", name="run_token"),
        # IS TRUE: see worker/jobs/publish.py.
        Index(
            "ix_jobs_waiting",
            "priority",
            "run_at",
            "id",
            postgresql_where=text(f"({_in(('queued', 'retryable'))}) IS TRUE"),
        ),
        Index("ix_jobs_lease", "lease_until", postgresql_where=text(_in(("published", "running")))),
        Index(
            "ix_jobs_lane",
            "queue",
            "lane",
            "principal",
            postgresql_where=text("lane IS NOT NULL AND " + _in(JOB_LIVE)),
        ),
        Index("ix_jobs_lane_started", "lane", "principal", "started_at", postgresql_where=text("lane IS NOT NULL")),
        Index("ix_jobs_prune", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
        Index("ix_jobs_subject", "subject", "created_at"),
        Index("ix_jobs_principal", "principal", "created_at", "id"),
        Index("ix_jobs_live", "principal", "kind", postgresql_where=text(_in(JOB_LIVE))),
        Index("ix_jobs_listing", "created_at", "id"),
        Index("ix_jobs_state", "state", "created_at", "id"),
        Index("ix_jobs_kind", "kind", "created_at", "id"),
        Index(
            "uq_jobs_unique_key",
            "unique_key",
            unique=True,
            postgresql_where=text("unique_key IS NOT NULL AND " + _in(JOB_LIVE)),
        ),
        # Rows are updated a few times and deleted: leave room in the page, and vacuum early. Clean the indexes every
        # time: their dead entries are few of all, but most of those that the relay would read.
        {
            "postgresql_with": {
                "fillfactor": "80",
                "autovacuum_vacuum_scale_factor": "0.01",
                "vacuum_index_cleanup": "on",
            }
        },
    )


class JobAttempt(Base):
    """How one attempt ended. Appended once per run token, never changed (a trigger refuses it)."""

    __tablename__ = "job_attempts"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    attempt: Mapped[int]
    run_token: Mapped[UUID] = mapped_column(Uuid, unique=True)
    worker: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    outcome: Mapped[str]
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (words("outcome", ATTEMPT_OUTCOMES),)


class JobAction(Base):
    """Somebody retried, cancelled or purged a job. Appended, never changed."""

    __tablename__ = "job_actions"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    # Not a foreign key: the record of a purge outlives the job.
    job_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    kind: Mapped[str]
    subject: Mapped[str | None]
    action: Mapped[str] = mapped_column(String(20))
    # The job's state before the action.
    state: Mapped[str]
    # Who did it: `user:1`, `operator:3`, `system`, or `cli:maria` for a name at the command line.
    actor: Mapped[str] = mapped_column(String(80))
    # Deleted after OPERATOR_ACCESS_RETENTION.
    at: Mapped[datetime] = mapped_column(server_default=text("now()"), index=True)

    __table_args__ = (words("action", JOB_ACTIONS), words("state", JOB_STATES))


class IdempotencyKey(Base):
    """The response to a POST with an `Idempotency-Key`, so that a repeat gets the same one."""

    __tablename__ = "idempotency_keys"

    principal: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    # SHA-256 of method, path and canonical body (for a streamed body: its fields and the file's SHA-1).
    fingerprint: Mapped[str]
    status: Mapped[int]
    headers: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"), index=True)
