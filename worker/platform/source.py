"""Rows of one kind on the platform, read in batches in the order of ids: all of them, or those that may have changed.

A time of the row tells whether it has changed; for rows that are only ever added, the id does. Deletions leave no
trace, so ids can be read alone, to be compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from worker.errors import Unavailable
from worker.platform.catalog import Catalog, Column

# A row is written with the time at which its transaction began, and when clocks are set back an hour occurs twice: rows
# changed within this time are read again. Equal rows are not stored again.
OVERLAP = timedelta(hours=2)


@dataclass(frozen=True)
class Join:
    """A table that is joined to the source's, on a condition that qualifies columns with their tables.

    Omitted if this state of the platform lacks the table; its columns are then NULL.
    """

    table: str
    on: LiteralString


@dataclass(frozen=True)
class Source:
    """Rows of `table`, with `id` as their key.

    `columns` are named as in a row; `changed` are the columns of `table` that tell when a row was written. Rows with
    `only_arrives` never change, and new ones are found by their ids. `where` is a condition on columns of `table`.
    Columns named in `as_text` are read as PostgreSQL prints them; `beside` are columns of other tables that `where`
    uses.
    """

    table: str
    columns: Mapping[str, Column]
    changed: tuple[Column, ...] = ()
    only_arrives: bool = False
    joins: tuple[Join, ...] = ()
    where: LiteralString = "true"
    as_text: frozenset[str] = frozenset()
    beside: tuple[Column, ...] = ()

    def is_there(self, catalog: Catalog) -> bool:
        """Whether this state of the platform has the table, and the columns without which its rows are useless.

        Raises Unavailable when a column exists but may not be read: it must not be mistaken for a default.
        """
        denied = self.denied(catalog)
        if denied:
            raise Unavailable(
                f"The platform's column {denied[0]} may not be read. Run the statements of `astegni platform grants`"
                " there.",
                retry_after=60,
            )
        return not self.missing(catalog)

    def denied(self, catalog: Catalog) -> list[str]:
        """The columns that exist but that this role may not read."""
        columns = (*self.columns.values(), *self.changed, *self.beside)
        return [str(column) for column in columns if catalog.is_denied(column)]

    def missing(self, catalog: Catalog) -> list[str]:
        """The table if this state of the platform lacks it, or else the columns without which its rows are useless."""
        if self.table not in catalog.tables:
            return [f"table {self.table}"]
        columns = (*self.columns.values(), *self.beside)
        return [str(column) for column in columns if column.required and not catalog.has(column)]


@dataclass(frozen=True)
class Window:
    """The rows that may have changed: written at `since` or later, or with ids above `after_id`.

    `since` None and `after_id` 0: all rows.
    """

    since: datetime | None = None
    after_id: int = 0


EVERYTHING = Window()
