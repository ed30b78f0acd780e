"""What a capability wants done when a job of its kind ends without success.

Whoever ends the job (its own run, the reaper, a cancel request) calls the ending in the same transaction, so a row
never says "processing" once its job is over. The table of endings is handed in by the doors; this room only holds
its shape.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from worker.jobs.orders import ORDERS, Order


@dataclass(frozen=True)
class Ended:
    """A job that is over: `failed`, `dead` or `cancelled`, with the problem document that says why."""

    job_id: UUID
    state: str
    error: dict[str, Any]


Ending = Callable[[Session, Any, Ended], None]
Endings = Mapping[type[Order], Ending]


def apply_ending(session: Session, endings: Endings, kind: str, args: dict[str, Any], ended: Ended) -> None:
    """Run the ending of `kind`, if it has one."""
    order_type = ORDERS.get(kind)
    ending = endings.get(order_type) if order_type else None
    if order_type is not None and ending is not None:
        ending(session, order_type.from_args(args), ended)
