"""A kind of imported rows: where its rows are read, and how a batch of them is stored.

To add a kind: subclass `Kind` in a module of its own, list it in `kinds.py` after the kinds whose rows it refers to,
and its table in `worker/platform/grants.py`. `run.py`, `store_rows.py` and `compare_ids.py` do everything else: reading
what has changed, skipping what was stored before, savepoints, links, refusals, deletions.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from hashlib import blake2b
from typing import NamedTuple

from sqlalchemy.orm import Session

from worker.calendars.zones import zone
from worker.errors import InvalidInput
from worker.platform.catalog import Catalog
from worker.platform.connection import PlatformConnection, Row
from worker.platform.links import Link
from worker.platform.refusals import Refusal
from worker.platform.source import Source
from worker.platform.source_reader import SourceReader
from worker.platform.zone import ServerZone
from worker.recurrence.instants import Instants, instants

# Digests of earlier releases lack TIMEZONE. They count as made with its default, since storing all lessons again would
# move those back that were moved here.
_DEFAULT_TIMEZONE = "Africa/Addis_Ababa"


@dataclass(frozen=True)
class Pull:
    """What every kind gets: the platform, the present moment and zones."""

    connection: PlatformConnection
    catalog: Catalog
    now: datetime
    # The zone of times that the platform's SQL wrote; None: not proven, so kinds that need it wait.
    server_zone: ServerZone | None
    # IANA zone of dates and times of day of lessons.
    timezone: str

    def reader(self, source: Source) -> SourceReader:
        """A reader for a source that exists."""
        return SourceReader(self.connection, self.catalog, source)

    def lesson_instants(self, day: date | None, start: time | None, end: time | None) -> Instants:
        """When a lesson of this local day and these times of day begins and ends. Raises InvalidInput."""
        if day is None or start is None or end is None:
            raise InvalidInput(
                "Its date or a time of day is missing, or cannot be stored here (infinity, a year after 9999, 24:00)."
            )
        return instants(day, start, end, zone(self.timezone))

    def has_passed(self, moment: datetime, kind: "Kind") -> bool:
        """Whether the clock by which the rows of this kind are written has reached `moment`."""
        now = self.now
        if moment.tzinfo is None:
            zone_of_times = self.server_zone if kind.needs_zone else None
            now = zone_of_times.local(now) if zone_of_times else now.astimezone(UTC).replace(tzinfo=None)
        return moment <= now

    def written_at(self, moment: datetime | None) -> datetime | None:
        """The UTC instant of a time written by the platform's SQL; None for NULL.

        Only for kinds that need the zone. Of a time that occurred twice, the first is taken.
        """
        if moment is None or self.server_zone is None:
            return None
        return self.server_zone.instant(moment)


class IncomingRow(NamedTuple):
    """A platform row that is new or has changed. `id` is that of our row; None: new, or refused so far."""

    row: Row
    id: int | None


class ImportOutcome(NamedTuple):
    """What became of a row: the id of our row (None: nothing), and what was refused or left out."""

    platform_id: int
    id: int | None
    refusals: tuple[Refusal, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether the row, or its change, was not imported."""
        return any(refusal.is_refused for refusal in self.refusals)


class Kind(ABC):
    """One kind of rows. `name` is its term in the glossary, used in links, refusals and the report.

    A new `version` makes all rows be stored again, for a release that converts them differently.
    """

    name: str
    source: Source
    version: int = 1
    # Whether rows have times that the platform's SQL wrote: without a proven zone they wait.
    needs_zone: bool = True
    # Whether rows have dates or times of day without a zone: TIMEZONE decides which instants they become.
    has_local_times: bool = False
    # Whether changes leave no trace in `source.changed`, e.g. those of joined tables: all rows are read at each
    # comparison.
    reads_all: bool = False
    # Whether rows are read only at comparisons: finding changed ones is slow, and none is urgent.
    only_compared: bool = False

    @abstractmethod
    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        """Store rows, at most a thousand, in the order of their ids; one outcome for each.

        Called in a savepoint. If the database rejects a row, or an AstegniError is raised, it is called again with each
        half of the rows until the faulty one is alone, which is then refused. Idempotent.
        """

    @abstractmethod
    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """Remove what was stored for rows that the platform has deleted. Idempotent.

        Their links and refusals are deleted afterwards.
        """

    def digest(self, row: Row, pull: Pull) -> bytes:
        """The digest of everything that decides what the row becomes: an equal one is not stored again."""
        zone = None if pull.server_zone is None else pull.server_zone.name
        is_default = not self.has_local_times or pull.timezone == _DEFAULT_TIMEZONE
        zones = zone if is_default else (zone, pull.timezone)
        # Without `row_changed_at`.
        return blake2b(repr((self.version, zones, row[:-1])).encode(), digest_size=16).digest()

    def conversion(self, pull: Pull) -> str:
        """How rows are converted, as the prefix of signatures: with another one all rows are read again."""
        zones = [pull.server_zone.name] if self.needs_zone and pull.server_zone is not None else []
        if self.has_local_times:
            zones.append(pull.timezone)
        if self.version == 1 and not zones:
            return ""
        return f"version {' '.join([str(self.version), *zones])}:"

    def may_retry(self, row: Row, pull: Pull) -> bool:  # noqa: ARG002 - of subclasses
        """Whether a refused row that has not changed is retried at each comparison."""
        return True
