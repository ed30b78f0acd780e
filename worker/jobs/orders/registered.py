"""Look up the orders of this application by kind."""

from typing import Any

# Importing these modules registers their orders.
from worker.jobs.orders import board_orders, lesson_orders, recording_orders, routine_orders  # noqa: F401
from worker.jobs.orders.order import REGISTERED, Order


def read_order(kind: str, args: dict[str, Any]) -> Order:
    """The order stored under `kind`. Raises UnreadableArguments, and KeyError for a kind this release does not know."""
    return REGISTERED[kind].from_args(args)


def order_type(kind: str) -> type[Order] | None:
    """The class of orders of this kind; None for a kind this release does not know."""
    return REGISTERED.get(kind)


def order_kinds() -> tuple[str, ...]:
    """The kinds of all orders that are known now."""
    return tuple(sorted(REGISTERED))
