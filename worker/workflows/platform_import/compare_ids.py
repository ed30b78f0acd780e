"""Compare the ids of one kind on the platform with those of its links: changed rows do not reveal deletions."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from worker.platform.links import Link, count_links, links_between
from worker.platform.refusals import Refusal, refused_ids, write_refusals
from worker.platform.source_reader import SourceReader
from worker.workflows.platform_import.store_rows import RowStore
from worker.workflows.platform_import.transactions import PullLimits

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class IdComparison:
    """Compares the ids of one kind; with `accept_deletes` removes rows even if most of them were deleted at once."""

    store: RowStore
    reader: SourceReader
    limits: PullLimits
    accept_deletes: bool

    def compare(self) -> Mapping[str, int]:
        """Store rows that were missed, remove deleted ones, retry refused ones; returns the counts."""
        counts: Counter[str] = Counter()
        gone: list[Link] = []
        after: int | None = 0
        while after is not None:
            ids = self.reader.ids(after=after, most=self.limits.ids)
            # There must be no link beyond the platform's last id.
            until = ids[-1] if len(ids) == self.limits.ids else None
            missed, missing = self._difference(ids, after, until)
            gone += self._still_missing(missing)
            for batch in self._pieces(missed):
                counts.update(self.store.store(self.reader.rows_of(batch)))
            after = until
        if self._may_remove(gone):
            for links in self._pieces(gone):
                counts.update(self.store.remove(links))
        for batch in self._refused():
            rows = [row for row in self.reader.rows_of(batch) if self.store.may_retry(row)]
            result = self.store.store(rows, again=True) if rows else {}
            counts.update(stored=result.get("stored", 0))
        return counts

    def _difference(self, ids: Sequence[int], after: int, until: int | None) -> tuple[list[int], list[Link]]:
        with self.store.transactions.transaction() as session:
            links = links_between(session, self.store.kind.name, after=after, until=until)
        there, known = set(ids), {link.platform_id for link in links}
        return sorted(there - known), [link for link in links if link.platform_id not in there]

    def _still_missing(self, links: Sequence[Link]) -> list[Link]:
        """The links whose rows do not exist: another import may have stored rows added after ids were read."""
        there = {
            row_id
            for batch in self._pieces(links)
            for row_id in self.reader.ids_of([link.platform_id for link in batch])
        }
        return [link for link in links if link.platform_id not in there]

    def _may_remove(self, gone: Sequence[Link]) -> bool:
        """False when most rows are gone at once: a restored or another database is likelier than so many deletions."""
        ours = sum(link.id is not None for link in gone)
        with self.store.transactions.transaction() as session:
            linked = count_links(session, self.store.kind.name)
            is_too_much = not self.accept_deletes and ours > self.limits.deletes and ours * 2 > linked
            write_refusals(session, self.store.kind.name, {0: (_too_much(ours, linked),) if is_too_much else ()})
        return not is_too_much

    def _pieces(self, items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
        for first in range(0, len(items), self.limits.rows):
            yield items[first : first + self.limits.rows]

    def _refused(self) -> Iterator[list[int]]:
        after = 0
        while True:
            with self.store.transactions.transaction() as session:
                ids = refused_ids(session, self.store.kind.name, after=after, most=self.limits.rows)
            if not ids:
                return
            yield ids
            after = ids[-1]


def _too_much(gone: int, linked: int) -> Refusal:
    reason = f"{gone} of {linked} rows have gone at once, and nothing was removed here"
    remedy = "Make sure that it is the right database; if they were deleted, run the import with --accept-deletes."
    return Refusal("too-much-gone", reason, remedy)
