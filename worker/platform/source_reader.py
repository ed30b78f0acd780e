"""Read the rows of a source: changed ones, those with given ids, or all."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Identifier, Placeholder

from worker.platform.catalog import Catalog, Column
from worker.platform.connection import PlatformConnection, Row
from worker.platform.source import Source, Window

# Enough for a batch of rows with large columns on a slow link.
_SECONDS = 10.0


class SourceReader:
    """Reads a source that exists (`Source.is_there`). All methods raise Unavailable."""

    def __init__(self, connection: PlatformConnection, catalog: Catalog, source: Source) -> None:
        self._connection = connection
        self._source = source
        self._changed = [column for column in source.changed if catalog.has(column)]
        self._rows = self._select(catalog)
        self._key = Identifier(source.table, "id")

    def signature(self, window: Window) -> str:
        """Text that stays equal while no row of the window is written, added or deleted. One statement."""
        statement = SQL("SELECT count(*) AS number, max({key}) AS last, {sum} AS moments FROM {table} WHERE {where}")
        moments: Composable = SQL("0")
        if self._changed:
            # As integers: a sum of fractional numbers takes four times as long. `infinity` is none.
            moments = SQL(
                "sum(CAST(date_part('epoch', {moment}) * 1000000 AS bigint))"
                " FILTER (WHERE {moment} BETWEEN '0001-01-01' AND '9999-12-31')"
            ).format(moment=self._moment())
        where = SQL(" AND ").join([SQL(self._source.where), self._within(window)])
        table = Identifier(self._source.table)
        [row] = self._run(statement.format(key=self._key, sum=moments, table=table, where=where), _values(window))
        return f"{window.since}:{window.after_id}:{row.number}:{row.last}:{row.moments}"

    def rows(self, window: Window, *, after: int, most: int) -> Sequence[Row]:
        """At most `most` rows of the window with ids above `after`, in the order of ids.

        Each has the columns of the source, followed by `row_changed_at`. If a join matches a row twice, it occurs
        twice.
        """
        return self._run(self._page(self._rows, self._within(window)), _values(window, after=after, most=most))

    def rows_of(self, ids: Sequence[int]) -> Sequence[Row]:
        """The rows with these ids that exist, in the order of ids."""
        where = SQL("{} = ANY(%(ids)s)").format(self._key)
        return self._run(self._page(self._rows, where), {"after": 0, "most": None, "ids": list(ids)})

    def rows_with(self, names: Sequence[str], values: Sequence[tuple[int, ...]]) -> Sequence[Row]:
        """The rows whose integer columns `names` equal one of these tuples, in the order of ids."""
        columns = SQL(", ").join(Identifier(self._source.table, name) for name in names)
        lists = SQL(", ").join(SQL("CAST({} AS integer[])").format(Placeholder(name)) for name in names)
        where = SQL("({}) IN (SELECT * FROM unnest({}))").format(columns, lists)
        given = {name: [value[place] for value in values] for place, name in enumerate(names)}
        return self._run(self._page(self._rows, where), {"after": 0, "most": None, **given})

    def ids(self, *, after: int, most: int) -> list[int]:
        """At most `most` ids above `after`, in order."""
        select = SQL("SELECT {} AS id FROM {}").format(self._key, Identifier(self._source.table))
        return [row.id for row in self._run(self._page(select, SQL("true")), {"after": after, "most": most})]

    def ids_of(self, ids: Sequence[int]) -> list[int]:
        """Those of these ids that exist."""
        select = SQL("SELECT {} AS id FROM {}").format(self._key, Identifier(self._source.table))
        where = SQL("{} = ANY(%(ids)s)").format(self._key)
        return [row.id for row in self._run(self._page(select, where), {"after": 0, "most": None, "ids": list(ids)})]

    def _select(self, catalog: Catalog) -> Composed:
        columns = [
            SQL("CAST({} AS text) AS {}" if name in self._source.as_text else "{} AS {}").format(
                catalog.expression(column), Identifier(name)
            )
            for name, column in self._source.columns.items()
        ]
        joins = [
            SQL("LEFT JOIN {} ON {}").format(Identifier(join.table), SQL(join.on))
            for join in self._source.joins
            if join.table in catalog.tables
        ]
        return SQL("SELECT {}, {} AS row_changed_at FROM {}").format(
            SQL(", ").join(columns),
            self._moment(),
            SQL(" ").join([Identifier(self._source.table), *joins]),
        )

    def _page(self, select: Composed, condition: Composable) -> Composed:
        page = SQL("{} WHERE {} AND {} AND {key} > %(after)s ORDER BY {key} LIMIT %(most)s")
        return page.format(select, SQL(self._source.where), condition, key=self._key)

    def _moment(self) -> Composable:
        if not self._changed:
            return SQL("CAST(NULL AS timestamp)")
        return SQL("greatest({})").format(SQL(", ").join(_identifier(column) for column in self._changed))

    def _within(self, window: Window) -> Composable:
        if self._changed and window.since is not None:
            # Each column separately, so that an index on one can be used. Rows without any time are always read.
            later = [SQL("{} >= %(since)s").format(_identifier(column)) for column in self._changed]
            unknown = SQL("{} IS NULL").format(self._moment())
            return SQL("({})").format(SQL(" OR ").join([*later, unknown]))
        if window.after_id:
            return SQL("{} > %(after_id)s").format(self._key)
        return SQL("true")

    def _run(self, statement: Composed, values: Mapping[str, Any]) -> Sequence[Row]:
        return self._connection.rows(statement, values, seconds=_SECONDS)


def _values(window: Window, **more: Any) -> dict[str, Any]:
    return {"since": window.since, "after_id": window.after_id, **more}


def _identifier(column: Column) -> Identifier:
    return Identifier(column.table, column.name)
