"""The messages in which published jobs travel: one each, or several small ones together."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

# The maximum number of jobs in one message.
_MOST = 16
# After this many seconds a child starts no further job of its message: the rest are released and published again.
MESSAGE_SECONDS = 2


@dataclass(frozen=True)
class JobMessage:
    """The message that is sent to the broker for one job, or for several of the same kind."""

    job_id: UUID
    kind: str
    queue: str
    # Differs between publications, so that the worker's log can tell them apart.
    message_id: str
    time_limit: int
    # Jobs that the same child claims and runs afterwards, one by one.
    others: tuple[UUID, ...] = ()

    @property
    def job_ids(self) -> tuple[UUID, ...]:
        """Every job of the message."""
        return (self.job_id, *self.others)


def messages_of(rows: Iterable[Any]) -> list[JobMessage]:
    """The messages for jobs that were marked as published (worker/jobs/publish.py).

    Celery's work per message costs several times the ledger's work per job. So jobs of one kind that are published
    together share messages, at most 16 each, when there are more of them than `children` of live workers.

    Three sorts are sent alone: jobs of a lane, which may take long; a job that was tried before, which may have killed
    its worker; and one that is published again, since a worker of an earlier release runs only the first job of a
    message.
    """
    groups: dict[Any, list[Any]] = {}
    for row in rows:
        together = row.lane is None and row.attempt == 0 and row.publications == 1
        group = (row.kind, row.queue, row.time_limit) if together else row.id
        groups.setdefault(group, []).append(row)
    return [*chain.from_iterable(map(_share, groups.values()))]


def _share(rows: list[Any]) -> Iterable[JobMessage]:
    """Deal the jobs out: each message gets every n-th, so that the oldest jobs come first in their messages."""
    number = max(min(len(rows), rows[0].children or 1), -(-len(rows) // _MOST))
    return (_message(rows[position::number]) for position in range(number))


def _message(rows: list[Any]) -> JobMessage:
    first = rows[0]
    return JobMessage(
        first.id,
        first.kind,
        first.queue,
        f"{first.id}:{first.attempt}.{first.publications}",
        # Plus what earlier jobs may use: the last job to start has its whole limit.
        first.time_limit + (MESSAGE_SECONDS if len(rows) > 1 else 0),
        tuple(row.id for row in rows[1:]),
    )
