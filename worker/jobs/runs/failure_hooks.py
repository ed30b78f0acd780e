"""What a capability does when a job of its kind ends without success.

Whatever ends the job (its own run, the reaper, a cancel request) calls the hook in the same transaction, so a row never
says "processing" once its job has ended. The entry points pass in the table of hooks; this module only defines its
type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from worker.jobs.orders.order import Order
from worker.jobs.orders.registered import order_type


@dataclass(frozen=True)
class FailedJob:
    """A job that ended as `failed`, `dead` or `cancelled`, with the problem document that says why."""

    job_id: UUID
    state: str
    error: dict[str, Any]


FailureHook = Callable[[Session, Any, FailedJob], None]
FailureHooks = Mapping[type[Order], FailureHook]


def run_failure_hook(
    session: Session, failure_hooks: FailureHooks, kind: str, args: dict[str, Any], ended: FailedJob
) -> None:
    """Call the hook of `kind`, if it has one. Raises UnreadableArguments."""
    order = order_type(kind)
    hook = failure_hooks.get(order) if order else None
    if order is not None and hook is not None:
        hook(session, order.from_args(args), ended)
