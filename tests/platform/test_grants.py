"""A role with the printed grants, and nothing else, does everything; it sees no column beyond them."""

import re

import psycopg

from tests.conftest import Platform
from worker.platform.catalog import Catalog
from worker.platform.check import check_platform
from worker.platform.connection import PlatformConnection
from worker.platform.grants import grants
from worker.platform.people import PlatformPeople
from worker.platform.zone import prove_zone
from worker.workflows.platform_import.kinds import all_kinds

_READABLE = """
    SELECT class.relname, attribute.attname
      FROM pg_attribute attribute JOIN pg_class class ON class.oid = attribute.attrelid
     WHERE class.relnamespace = 'public'::regnamespace AND class.relkind IN ('r', 'p', 'v', 'm')
       AND attribute.attnum > 0 AND NOT attribute.attisdropped
       AND (%s OR has_column_privilege(class.oid, attribute.attnum, 'SELECT'))
"""


def _columns(connection: psycopg.Connection, *, readable: bool) -> set[tuple[str, str]]:
    return {(table, column) for table, column in connection.execute(_READABLE, [not readable]).fetchall()}


def _granted(columns: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """What the printed statements name of these columns."""
    privileges: set[tuple[str, str]] = set()
    for statement in grants("astegni", "reader"):
        if match := re.fullmatch(r'GRANT SELECT (?:\((.*)\) )?ON (.*) TO "reader";', statement):
            names, tables = (set(re.findall(r'"(\w+)"', part or "")) for part in match.groups())
            privileges |= {(table, name) for table, name in columns if table in tables and (not names or name in names)}
    return privileges


def test_every_column_that_is_read_is_granted(platform_connection: PlatformConnection) -> None:
    catalog = Catalog.read(platform_connection)

    assert [kind.name for kind in all_kinds() if not kind.source.is_there(catalog)] == []
    assert prove_zone(platform_connection, catalog).zone is not None
    assert [finding for finding in check_platform(platform_connection) if finding.level == "CANNOT"] == []
    assert len(PlatformPeople(platform_connection).read([11, 12])) == 2


def test_nothing_else_can_be_read(platform: Platform) -> None:
    with psycopg.connect(platform.url, autocommit=True) as reader:
        readable, everything = _columns(reader, readable=True), _columns(reader, readable=False)

    assert readable == _granted(everything)
    assert ("users", "password_hash") in everything - readable
    assert [column for column in readable if re.search(r"password|token|otp|secret", column[1])] == []
