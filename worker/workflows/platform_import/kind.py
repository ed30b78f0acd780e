"""What a kind of imported rows is: where its rows are read, and how a batch of them is stored.

To add a kind: subclass `Kind` in a module of its own, name it in `kinds.py` behind the kinds whose rows it refers to,
and its table in `worker/platform/grants.py`. `run.py`, `store_rows.py` and `compare_ids.py` do everything else:
reading what has changed, leaving out what was stored before, savepoints, links, refusals, deletes.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from sqlalchemy.orm import Session

from worker.platform.catalog import Catalog
from worker.platform.connection import PlatformConnection, Row
from worker.platform.links import Link
from worker.platform.refusals import Refusal
from worker.platform.source import Source
from worker.platform.source_reader import SourceReader
from worker.platform.zone import ServerZone


@dataclass(frozen=True)
class Pull:
    """What every kind is given: the platform, the present moment and zones."""

    connection: PlatformConnection
    catalog: Catalog
    now: datetime
    # Of times that the platform's SQL wrote; None: not proven, and kinds that need it wait.
    server_zone: ServerZone | None
    # IANA zone of dates and times of day of lessons.
    timezone: str

    def reader(self, source: Source) -> SourceReader:
        """Reads a source that is there."""
        return SourceReader(self.connection, self.catalog, source)

    def written_at(self, moment: datetime | None) -> datetime | None:
        """The instant, in UTC, of a time that the platform's SQL wrote; None for NULL.

        Only for kinds that need the zone. A time that came twice is the first of the two.
        """
        if moment is None or self.server_zone is None:
            return None
        return self.server_zone.instant(moment)


class Incoming(NamedTuple):
    """A row there that is new or has changed. `id` is ours of an earlier import; None: new, or refused until now."""

    row: Row
    id: int | None


class ImportOutcome(NamedTuple):
    """What became of a row: the id of ours (None: nothing), and what was refused or left out."""

    platform_id: int
    id: int | None
    refusals: tuple[Refusal, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether the row, or its change, was not taken."""
        return any(refusal.is_refused for refusal in self.refusals)


class Kind(ABC):
    """One kind of rows. `name` is that of the glossary, in links, refusals and the report.

    A new `version` has all rows stored again, for a release that converts them otherwise.
    """

    name: str
    source: Source
    version: int = 1
    # Whether rows have times that the platform's SQL wrote: without a proven zone they wait.
    needs_zone: bool = True
    # Whether changes leave no trace in `source.changed`, e.g. of joined tables: all rows are read at each comparison.
    reads_all: bool = False
    # Whether rows are read at comparisons only: finding changed ones is slow, and none is urgent.
    only_compared: bool = False

    @abstractmethod
    def store(self, session: Session, rows: Sequence[Incoming], pull: Pull) -> Sequence[ImportOutcome]:
        """Store rows, at most a thousand, in the order of their ids; one outcome for each.

        Called in a savepoint. When the database refuses a row, or an AstegniError is raised, it is called again with
        each half of the rows until the one is alone, which is then refused. Idempotent.
        """

    @abstractmethod
    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """The platform has deleted these rows; their links and refusals are deleted afterwards. Idempotent."""

    def digest(self, row: Row, pull: Pull) -> bytes:
        """Of everything that decides what the row becomes: an equal one is not stored again."""
        zone = None if pull.server_zone is None else pull.server_zone.name
        # Without `row_changed_at`.
        return blake2b(repr((self.version, zone, row[:-1])).encode(), digest_size=16).digest()

    def may_retry(self, row: Row, pull: Pull) -> bool:  # noqa: ARG002 - of subclasses
        """Whether a refused row that has not changed is tried again at each comparison."""
        return True
