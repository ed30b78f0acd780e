"""Retry, cancel or purge many jobs, each in its own transaction, so that one failure does not stop the others.

Nor does one transaction hold the locks of two jobs and their subjects, which two such runs could take in opposite
orders (docs/decisions/0004).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.states import JOB_FINISHED, JOB_LIVE
from worker.database import Database
from worker.errors import AstegniError, InvalidInput
from worker.jobs.operations.kinds import check_kind
from worker.jobs.operations.purge import purge_job
from worker.jobs.operations.selection import JobFilter, SelectedJob, select_job, select_jobs
from worker.jobs.runs.cancel import cancel_job, retry_job
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS

_BATCH = 200
# Lock timeout, statement timeout, serialization failure, deadlock: the database works, but this job's row is in use.
_BUSY = frozenset({"55P03", "57014", "40001", "40P01"})


@dataclass(frozen=True)
class JobActionResult:
    """A job and why the action failed; without an `error` it was done, or would be."""

    job: SelectedJob
    error: str | None = None


@dataclass(frozen=True)
class _Action:
    """What it is called when done, the states to which it applies, and the function."""

    past: str
    states: tuple[str, ...]
    act: Callable[[Session, SelectedJob, str], object]


_ACTIONS: Mapping[str, _Action] = {
    "retry": _Action(
        "retried", ("failed", "dead", "cancelled"), lambda session, job, by: retry_job(session, job.id, by=by)
    ),
    "cancel": _Action(
        "cancelled", JOB_LIVE, lambda session, job, by: cancel_job(session, FAILURE_HOOKS, job.id, by=by)
    ),
    "purge": _Action("purged", JOB_FINISHED, lambda session, job, by: purge_job(session, job.id, by=by)),
}


def act_on_job(database: Database, action: str, job_id: UUID, *, by: str, dry_run: bool) -> JobActionResult:
    """Do `action` to one job; with `dry_run` only say whether its state allows it. Raises NotFound."""
    with database.transaction() as session:
        job = select_job(session, job_id)
    wanted = _ACTIONS[action]
    if dry_run:
        refusal = f"Job {job_id} is {job.state}; only those that are {_listed(wanted.states)} can be {wanted.past}."
        return JobActionResult(job, None if job.state in wanted.states else refusal)
    return _result(database, action, job, by)


def act_on_jobs(
    database: Database, action: str, wanted: JobFilter, *, by: str, limit: int, dry_run: bool
) -> Iterator[JobActionResult]:
    """Do `action` to at most `limit` matching jobs, oldest first; `by` is recorded. With `dry_run` nothing changes.

    Jobs in a state that the action does not apply to do not match. Raises InvalidInput for a filter that matches
    every job, an unknown kind, and a state to which the action never applies; an unavailable database ends the run.
    """
    states = _ACTIONS[action].states
    if wanted.is_empty:
        raise InvalidInput(f"To {action} many jobs, say which: --state, --kind, --subject or --older-than.")
    if wanted.state is not None and wanted.state not in states:
        past = _ACTIONS[action].past
        raise InvalidInput(f"No job in state {wanted.state} can be {past}; only those that are {_listed(states)}.")
    if wanted.kind is not None:
        with database.transaction() as session:
            check_kind(session, wanted.kind)
    for job in _selected(database, wanted, states, limit):
        yield JobActionResult(job) if dry_run else _result(database, action, job, by)


def _selected(database: Database, wanted: JobFilter, states: tuple[str, ...], limit: int) -> Iterator[SelectedJob]:
    after = None
    while limit > 0:
        with database.transaction() as session:
            batch = select_jobs(session, wanted, states, after=after, most=min(limit, _BATCH))
        if not batch:
            return
        yield from batch
        after, limit = batch[-1].position, limit - len(batch)


def _result(database: Database, action: str, job: SelectedJob, by: str) -> JobActionResult:
    try:
        with database.transaction() as session:
            _ACTIONS[action].act(session, job, by)
    except AstegniError as error:
        return JobActionResult(job, error.detail)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _BUSY:
            raise
        return JobActionResult(job, f"Job {job.id} is locked by somebody else; try again.")
    return JobActionResult(job)


def _listed(states: tuple[str, ...]) -> str:
    return f"{', '.join(states[:-1])} or {states[-1]}"
