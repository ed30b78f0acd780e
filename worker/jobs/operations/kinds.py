"""Whether jobs of a kind can exist: this release orders them, or the ledger still has some."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.errors import InvalidInput
from worker.jobs.orders.registered import order_kinds

_EXISTS = text("SELECT EXISTS (SELECT 1 FROM jobs WHERE kind = :kind)")
# A loose index scan, from each kind to the next: DISTINCT would read the whole index.
_KINDS = text(
    """
    WITH RECURSIVE kinds AS (
        SELECT min(kind) AS kind FROM jobs
         UNION ALL
        SELECT (SELECT min(kind) FROM jobs WHERE kind > kinds.kind) FROM kinds WHERE kinds.kind IS NOT NULL
    )
    SELECT kind FROM kinds WHERE kind IS NOT NULL
    """
)


def check_kind(session: Session, kind: str) -> None:
    """Raise InvalidInput, listing all kinds, for one that neither this release nor the ledger knows."""
    if kind in order_kinds() or session.scalars(_EXISTS, {"kind": kind}).one():
        return
    kinds = sorted({*order_kinds(), *session.scalars(_KINDS)})
    raise InvalidInput(f"There are no jobs of kind {kind}. The kinds are {', '.join(kinds)}.")
