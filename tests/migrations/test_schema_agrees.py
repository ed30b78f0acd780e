"""What the migrations build is what the models say: columns, defaults, constraints, indexes, options, comments."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from models.metadata import metadata
from tests.conftest import PostgresServer
from worker.migrate import migrate
from worker.settings import Settings

# Alembic does not read an index's collation, and would replace these; their definitions are compared all the same.
WITH_COLLATION = {"ix_recording_renditions_object_name"}
CATALOG = {
    "columns": """
        SELECT c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attidentity, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
          LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND {ours}
    """,
    "tables": """
        SELECT c.relname, c.reloptions, obj_description(c.oid, 'pg_class')
          FROM pg_class c WHERE c.relkind = 'r' AND {ours}
    """,
    "constraints": """
        SELECT c.relname, k.conname, k.contype, pg_get_constraintdef(k.oid)
          FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE {ours}
    """,
    "indexes": """
        SELECT t.relname, pg_get_indexdef(c.oid), c.reloptions
          FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
         WHERE {ours} AND t.relname <> 'alembic_version'
    """,
    "sequences": """
        SELECT c.relname, s.seqtypid::regtype::text, d.refobjid::regclass::text, d.refobjsubid
          FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
          LEFT JOIN pg_depend d ON d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
         WHERE {ours}
    """,
}
_HINTS = {"columns": " (the third value is the position: a new column is the last of its class)"}
OURS = "c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'"


@pytest.fixture
def migrated_url(empty_database_url: str) -> str:
    migrate(empty_database_url)
    return empty_database_url


@pytest.fixture
def modelled_url(postgres: PostgresServer) -> Iterator[str]:
    name = f"astegni_modelled_{secrets.token_hex(6)}"
    postgres.create_database(name)
    engine = create_engine(Settings(database_url=postgres.url(name)).sqlalchemy_url)
    metadata.create_all(engine)
    engine.dispose()
    yield postgres.url(name)
    postgres.drop_database(name)


def test_catalogs_are_equal(migrated_url: str, modelled_url: str) -> None:
    migrated, modelled = _catalog(migrated_url), _catalog(modelled_url)

    for part in CATALOG:
        assert migrated[part] - modelled[part] == set(), f"{part} that only the migrations make{_HINTS.get(part, '')}"
        assert modelled[part] - migrated[part] == set(), f"{part} that only the models say{_HINTS.get(part, '')}"
        assert migrated[part]


def test_alembic_finds_nothing_to_do(migrated_url: str) -> None:
    engine = create_engine(Settings(database_url=migrated_url).sqlalchemy_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": lambda name, *_: name not in WITH_COLLATION,
                "include_object": lambda _, name, *__: name not in WITH_COLLATION,
            },
        )
        differences = compare_metadata(context, metadata)
    engine.dispose()

    assert differences == []


def test_one_trigger_only(migrated_url: str) -> None:
    with psycopg.connect(migrated_url) as connection:
        triggers = connection.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
        ).fetchall()

    assert triggers == [("job_attempts", "job_attempts_refuse_update")]


def _catalog(url: str) -> dict[str, set[tuple[object, ...]]]:
    with psycopg.connect(url) as connection:
        return {
            part: {_hashable(row) for row in connection.execute(query.format(ours=OURS))}
            for part, query in CATALOG.items()
        }


def _hashable(row: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(tuple(value) if isinstance(value, list) else value for value in row)
