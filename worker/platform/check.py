"""Check whether people can be imported from the platform's database. Changes nothing there or here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from psycopg.sql import SQL, Identifier

from worker.platform.catalog import Catalog, Column
from worker.platform.connection import PlatformConnection
from worker.platform.grants import TABLES
from worker.platform.people import PlatformPeople
from worker.platform.people_source import ACCOUNT, PEOPLE, ROLES
from worker.platform.state import PlatformState, platform_state
from worker.platform.zone import prove_zone

Level = Literal["ok", "WARNING", "CANNOT"]

_ROLE = """
    SELECT current_user AS name, current_database() AS database, split_part(version(), ' ', 2) AS version,
           has_schema_privilege('public', 'CREATE') AS may_create,
           (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS is_superuser
"""
_WRITABLE = """
    SELECT class.relname AS name FROM pg_catalog.pg_class class
     WHERE class.relnamespace = 'public'::regnamespace AND class.relkind IN ('r', 'p')
       AND (has_table_privilege(class.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
            OR has_any_column_privilege(class.oid, 'INSERT, UPDATE'))
     ORDER BY class.relname
"""
_PASSWORD = Column("users", "password_hash", "varchar")


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was checked, its status, and in words what was found and what to do."""

    subject: str
    level: Level
    text: str


def check_platform(connection: PlatformConnection, timezone: str | None = None) -> Iterator[Finding]:
    """Everything that the import needs, most important first; `timezone` is PLATFORM_TIMEZONE.

    Raises Unavailable.
    """
    catalog = Catalog.read(connection)
    role = connection.rows(_ROLE)[0]
    yield Finding("server", "ok", f"PostgreSQL {role.version}, database {role.database}, role {role.name}")
    state = platform_state(catalog)
    yield Finding("state", "CANNOT" if state is PlatformState.UNKNOWN else "ok", state.value)
    yield from _rights(connection, catalog, role.may_create, role.is_superuser)
    yield from _columns(catalog)
    if not any(column.required and not catalog.has(column) for column in ACCOUNT):
        yield from _people(connection, catalog)
    if state is not PlatformState.UNKNOWN:
        yield from _rows(connection, catalog)
        proof = prove_zone(connection, catalog, timezone)
        yield from (Finding("zone", level, text) for level, text in proof.lines)


def _rights(
    connection: PlatformConnection, catalog: Catalog, may_create: bool, is_superuser: bool
) -> Iterator[Finding]:
    if is_superuser:
        yield Finding("rights", "WARNING", "this role is a superuser; use one with the grants of `platform grants`")
        return
    writable = [row.name for row in connection.rows(_WRITABLE)]
    too_much = [f"may write {', '.join(writable)}"] if writable else []
    if may_create:
        too_much.append("may create tables in schema public")
    if catalog.has(_PASSWORD) and not catalog.is_denied(_PASSWORD):
        too_much.append("may read users.password_hash")
    text = f"this role {' and '.join(too_much)}: take that away" if too_much else "reads, and nothing else"
    yield Finding("rights", "WARNING" if too_much else "ok", text)


def _columns(catalog: Catalog) -> Iterator[Finding]:
    denied = [f"{column.table}.{column.name}" for column in PEOPLE if catalog.is_denied(column)]
    missing = [f"{column.table}.{column.name}" for column in PEOPLE if not catalog.has(column)]
    useless = [f"{column.table}.{column.name}" for column in ACCOUNT if column.required and not catalog.has(column)]
    if denied or useless:
        words = f"{', '.join(denied or useless)} {'may not be read' if denied else 'is missing'}"
        yield Finding("columns", "CANNOT", f"{words}; run the statements of `astegni platform grants`")
    elif missing:
        yield Finding("columns", "ok", f"not in this state, so taken for their default: {', '.join(missing)}")
    else:
        yield Finding("columns", "ok", "everything of people is there and readable")


def _people(connection: PlatformConnection, catalog: Catalog) -> Iterator[Finding]:
    if any(catalog.is_denied(column) for column in PEOPLE):
        return
    total = active = nameless = mailless = 0
    for person in PlatformPeople(connection).everybody():
        total += 1
        active += person.is_active
        nameless += not person.first_name
        mailless += not person.email
    yield Finding(
        "people", "ok", f"{total} accounts: {active} come in, {total - active} are suspended, deactivated or leaving"
    )
    if nameless or mailless:
        text = f"{nameless} without a first name, {mailless} without an e-mail: nothing is mailed to these"
        yield Finding("people", "ok", text)
    for role in ROLES:
        table = f"{role}_profiles"
        if table in catalog.tables:
            statement = SQL("SELECT count(*) AS number FROM {} WHERE user_id IS NULL").format(Identifier(table))
            number = connection.rows(statement)[0].number
            if number:
                yield Finding("profiles", "WARNING", f"{number} of {table} belong to no account and are left out")


def _rows(connection: PlatformConnection, catalog: Catalog) -> Iterator[Finding]:
    """Count the rows of everything that is imported apart from people."""
    tables = [table for table in ("enrolled_students", *TABLES) if table in catalog.tables]
    denied = {table: catalog.denied_in(table) for table in TABLES if catalog.denied_in(table)}
    for table, columns in denied.items():
        text = f"{table}: {', '.join(columns)} may not be read; run the statements of `astegni platform grants`"
        yield Finding("rows", "WARNING", text)
    counts = [f"{_number(connection, table)} {table}" for table in tables if table not in denied]
    if counts:
        text = f"{', '.join(counts)}; `astegni platform import --dry-run` says what of them would be refused, and why"
        yield Finding("rows", "ok", text)


def _number(connection: PlatformConnection, table: str) -> int:
    [row] = connection.rows(SQL("SELECT count(*) AS number FROM {}").format(Identifier(table)), seconds=10.0)
    return int(row.number)
