"""Which columns the platform's database has, and which of them this role may read.

Its schema is changed by hand-run scripts, on production too, so the catalogue is read before a column is named.
`information_schema` shows only what is granted; `pg_attribute` shows everything.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import LiteralString

from psycopg.sql import SQL, Composable, Identifier

from worker.platform.connection import PlatformConnection

_COLUMNS = """
    SELECT class.relname AS table_name, attribute.attname AS name,
           has_column_privilege(class.oid, attribute.attnum, 'SELECT') AS readable
      FROM pg_catalog.pg_attribute attribute
      JOIN pg_catalog.pg_class class ON class.oid = attribute.attrelid
     WHERE class.relnamespace = 'public'::regnamespace AND class.relkind IN ('r', 'p', 'v', 'm')
       AND attribute.attnum > 0 AND NOT attribute.attisdropped
       AND (CAST(%(tables)s AS text[]) IS NULL OR class.relname = ANY(CAST(%(tables)s AS text[])))
"""


@dataclass(frozen=True)
class Column:
    """A column of the platform: its table, its name, its SQL type, and whether rows are useless without it."""

    table: str
    name: str
    type: LiteralString
    required: bool = False

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"


class Catalog:
    """The columns of the platform's database at one moment."""

    def __init__(self, readable: Iterable[tuple[str, str, bool]]) -> None:
        self._readable = {(table, name): may_read for table, name, may_read in readable}

    @classmethod
    def read(
        cls, platform: PlatformConnection, tables: Collection[str] | None = None, *, seconds: float = 3.0
    ) -> "Catalog":
        """Read the catalogue from the server: of these tables, or of all. Raises Unavailable."""
        rows = platform.rows(_COLUMNS, {"tables": None if tables is None else sorted(tables)}, seconds=seconds)
        return cls((row.table_name, row.name, row.readable) for row in rows)

    @property
    def tables(self) -> frozenset[str]:
        """The names of all tables and views."""
        return frozenset(table for table, _ in self._readable)

    def has(self, column: Column) -> bool:
        """Whether the column exists, readable or not."""
        return (column.table, column.name) in self._readable

    def is_denied(self, column: Column) -> bool:
        """Whether the column exists and this role may not read it."""
        return self._readable.get((column.table, column.name)) is False

    def denied_in(self, table: str) -> list[str]:
        """The columns of a table that exist but that this role may not read."""
        return [name for (of, name), may_read in self._readable.items() if of == table and not may_read]

    def expression(self, column: Column) -> Composable:
        """The column for a SELECT list; NULL of its type if this state of the platform lacks the column."""
        if self.has(column):
            return Identifier(column.table, column.name)
        return SQL("CAST(NULL AS {})").format(SQL(column.type))
