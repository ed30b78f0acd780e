"""How far the rows of each kind have been read from the platform (`platform_pulls`)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.platform import PlatformPull
from worker.platform.source import OVERLAP, Source, Window


@dataclass(frozen=True)
class PullState:
    """How far the rows of one kind have been read; the columns of `platform_pulls`."""

    kind: str
    changed_at: datetime | None = None
    settled_id: int = 0
    signature: str | None = None
    pulled_at: datetime | None = None
    compared_at: datetime | None = None

    def window(self, source: Source) -> Window:
        """The rows that may have changed since the last complete pull, including those of the last two hours."""
        if source.only_arrives:
            return Window(after_id=self.settled_id)
        return Window(since=None if self.changed_at is None else self.changed_at - OVERLAP)


class Progress:
    """How far a kind has been read, batch by batch in the order of ids."""

    def __init__(self, state: PullState) -> None:
        self._state = state
        self._changed_at = state.changed_at
        # The last id of each batch, and the latest time up to it.
        self._batches: list[tuple[int, datetime | None]] = []

    def note(self, last_id: int, moments: Iterable[datetime]) -> None:
        """Record that a batch was read, up to this id; `moments` are those times of its rows that have passed."""
        known = moments if self._changed_at is None else (self._changed_at, *moments)
        self._changed_at = max(known, default=None)
        self._batches.append((last_id, self._changed_at))

    def state(self, *, signature: str, now: datetime) -> PullState:
        """The state to store once every batch is stored.

        An id is assigned before its row is committed, so ids of the last two hours are read again.
        """
        settled = self._state.settled_id
        if self._changed_at is not None:
            before = self._changed_at - OVERLAP
            old = [last_id for last_id, moment in self._batches if moment is not None and moment <= before]
            settled = max(settled, old[-1] if old else 0)
        return replace(self._state, changed_at=self._changed_at, settled_id=settled, signature=signature, pulled_at=now)


def read_pulls(session: Session) -> dict[str, PullState]:
    """How far each kind has been read, by kind."""
    return {row.kind: _state(row) for row in session.scalars(select(PlatformPull))}


def write_pull(session: Session, state: PullState) -> None:
    """Store how far one kind has been read."""
    changed_at = None if state.changed_at is None else state.changed_at.isoformat()
    values = vars(state) | {"changed_at": changed_at}
    statement = insert(PlatformPull).values(values)
    session.execute(statement.on_conflict_do_update(index_elements=["kind"], set_=values))


def touch_pulls(session: Session, kinds: Collection[str], *, now: datetime) -> None:
    """Record that nothing of these kinds had changed."""
    session.execute(update(PlatformPull).where(PlatformPull.kind.in_(kinds)).values(pulled_at=now))


def _state(row: PlatformPull) -> PullState:
    changed_at = None if row.changed_at is None else datetime.fromisoformat(row.changed_at)
    others = ("kind", "settled_id", "signature", "pulled_at", "compared_at")
    return PullState(changed_at=changed_at, **{name: getattr(row, name) for name in others})
