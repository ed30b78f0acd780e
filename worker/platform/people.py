"""Read people of the platform: an account, and the profiles that belong to it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from time import monotonic

from psycopg.sql import SQL, Composable, Composed, Identifier, Placeholder

from worker.access.people_records import PersonRecord
from worker.errors import Unavailable
from worker.logs import get_logger
from worker.platform.catalog import Catalog, Column
from worker.platform.connection import PlatformConnection, Row, StatementRejected
from worker.platform.people_source import ACCOUNT, PEOPLE, ROLES, person_of

_log = get_logger(__name__)

# How long a catalogue is used: a script may add the column that says who is suspended, and no statement fails then.
_CATALOG_SECONDS = 60.0


class PlatformPeople:
    """Reads people, each with one query. Columns that this state of the platform lacks count as their defaults."""

    def __init__(self, connection: PlatformConnection, *, catalog_seconds: float = _CATALOG_SECONDS) -> None:
        self._connection = connection
        self._catalog_seconds = catalog_seconds
        self._catalog: tuple[float, Catalog] | None = None

    def _current_catalog(self, seconds: float = 3.0) -> Catalog:
        read = self._catalog
        if read is None or monotonic() - read[0] > self._catalog_seconds:
            self._catalog = read = monotonic(), self._read_catalog(seconds)
        return read[1]

    def _read_catalog(self, seconds: float) -> Catalog:
        catalog = Catalog.read(self._connection, {column.table for column in PEOPLE}, seconds=seconds)
        denied = [column for column in PEOPLE if catalog.is_denied(column)]
        missing = [
            column
            for column in PEOPLE
            if column.required and column.table in {"users", *catalog.tables} and not catalog.has(column)
        ]
        for columns, what in ((denied, "may not be read"), (missing, "is missing")):
            if columns:
                named = f"{columns[0].table}.{columns[0].name}"
                # Without it nobody knows who is suspended, so nobody is let in.
                _log.error("platform_column_unreadable", column=named)
                raise Unavailable(
                    f"The platform's column {named} {what}. Run the statements of `astegni platform grants` there.",
                    retry_after=60,
                )
        return catalog

    def read(self, user_ids: Sequence[int], *, seconds: float = 10.0) -> dict[int, PersonRecord]:
        """The people with these ids, those without an account left out. Raises Unavailable."""
        rows = self._rows(_select, {"ids": list(user_ids)}, seconds)
        people: dict[int, PersonRecord] = {}
        for row in rows:
            # The platform forbids two profiles of one role; they would give a second row, so the first one counts.
            people.setdefault(row.id, person_of(row))
        return people

    def owners(self, profiles: Collection[tuple[str, int]]) -> list[int]:
        """Ids of the accounts that own these profiles (role, id); those of nobody are left out. Raises Unavailable."""
        owners: set[int] = set()
        for role in ROLES:
            ids = [profile_id for of_role, profile_id in profiles if of_role == role]
            if ids and _table(role) in self._current_catalog().tables:
                statement = SQL("SELECT user_id FROM {} WHERE id = ANY(%(ids)s) AND user_id IS NOT NULL")
                rows = self._connection.rows(statement.format(Identifier(_table(role))), {"ids": ids})
                owners |= {row.user_id for row in rows}
        return sorted(owners)

    def everybody(self, *, batch: int = 1000) -> Iterator[PersonRecord]:
        """Every account in the order of ids, `batch` at a time. Raises Unavailable."""
        after = 0
        while True:
            rows = self._rows(_select_after, {"after": after, "most": batch}, 10.0)
            people: dict[int, PersonRecord] = {}
            for row in rows:
                people.setdefault(row.id, person_of(row))
            yield from people.values()
            if len(rows) < batch:
                return
            after = rows[-1].id

    def read_claims(
        self, user_id: int, claims: Mapping[str, int], *, seconds: float
    ) -> tuple[PersonRecord | None, frozenset[str]]:
        """The person (None: no account), and the roles whose claimed profile belongs to somebody else.

        Raises Unavailable.
        """
        values = {"ids": [user_id], **{role: claims.get(role) for role in ROLES}}
        rows = self._rows(_select_claims, values, seconds)
        if not rows:
            return None, frozenset()
        owners = {role: getattr(rows[0], f"{role}_owner") for role in ROLES}
        foreign = frozenset(role for role, owner in owners.items() if owner is not None and owner != user_id)
        return person_of(rows[0]), foreign

    def _rows(
        self, shape: Callable[[Catalog], Composed], values: Mapping[str, object], seconds: float
    ) -> Sequence[Row]:
        try:
            return self._connection.rows(shape(self._current_catalog(seconds)), values, seconds=seconds)
        except StatementRejected:
            # The schema or a grant has changed since the catalogue was read. Another thread may have noticed it too.
            self._catalog = None
            return self._connection.rows(shape(self._current_catalog(seconds)), values, seconds=seconds)


def _select(catalog: Catalog) -> Composed:
    return _statement(catalog, []) + SQL(" WHERE users.id = ANY(%(ids)s)")


def _select_after(catalog: Catalog) -> Composed:
    return _statement(catalog, []) + SQL(" WHERE users.id > %(after)s ORDER BY users.id LIMIT %(most)s")


def _select_claims(catalog: Catalog) -> Composed:
    """Includes the owner of each claimed profile, who may be another user."""
    owner = SQL("(SELECT user_id FROM {table} WHERE id = {claim}) AS {name}")
    owners = _statement(
        catalog,
        [
            owner.format(table=Identifier(_table(role)), claim=Placeholder(role), name=Identifier(f"{role}_owner"))
            if _table(role) in catalog.tables
            else SQL("NULL::integer AS {}").format(Identifier(f"{role}_owner"))
            for role in ROLES
        ],
    )
    return owners + SQL(" WHERE users.id = ANY(%(ids)s)")


def _statement(catalog: Catalog, more: list[Composable]) -> Composed:
    columns = [_named(catalog, column, column.name) for column in ACCOUNT]
    tables: list[Composable] = [SQL("users")]
    for role, profile in ROLES.items():
        columns += [_named(catalog, column, f"{role}_{column.name}") for column in profile]
        if _table(role) in catalog.tables:
            join = SQL("LEFT JOIN {table} ON {table}.user_id = users.id")
            tables.append(join.format(table=Identifier(_table(role))))
    statement = SQL("SELECT {columns} FROM {tables}")
    return statement.format(columns=SQL(", ").join([*columns, *more]), tables=SQL(" ").join(tables))


def _named(catalog: Catalog, column: Column, name: str) -> Composable:
    return SQL("{} AS {}").format(catalog.expression(column), Identifier(name))


def _table(role: str) -> str:
    return f"{role}_profiles"
