"""What a capability does when a job of its kind ends without success.

What ends the job (its own run, the reaper, a cancel request) calls the hook in the same transaction, so a row never
says "processing" once its job has ended. The entry points pass in the table of hooks; this module only defines its
type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from worker.errors import Conflict
from worker.jobs.orders.order import Order
from worker.jobs.orders.registered import order_type


@dataclass(frozen=True)
class FailedJob:
    """A job that ended as `failed`, `dead` or `cancelled`, with the problem document that says why."""

    job_id: UUID
    state: str
    error: dict[str, Any]


class UnreadableArguments(Conflict):
    """The job's arguments are those of another release: only that one can run it, or do what its end requires."""


FailureHook = Callable[[Session, Any, FailedJob], None]
FailureHooks = Mapping[type[Order], FailureHook]


def run_failure_hook(
    session: Session, endings: FailureHooks, kind: str, args: dict[str, Any], ended: FailedJob
) -> None:
    """Call the hook of `kind`, if it has one. Raises UnreadableArguments."""
    order = order_type(kind)
    hook = endings.get(order) if order else None
    if order is not None and hook is not None:
        hook(session, _read(order, args, ended.job_id), ended)


def _read(order: type[Order], args: dict[str, Any], job_id: UUID) -> Order:
    try:
        return order.from_args(args)
    except TypeError as error:
        raise UnreadableArguments(f"The arguments of job {job_id} are those of another release.") from error
