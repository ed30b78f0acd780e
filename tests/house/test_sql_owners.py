"""SQL has an owner: no statement names another package's table but through a view that its owner keeps."""

from functools import cache
from pathlib import Path

import psycopg
import pytest

from models.metadata import metadata
from tests.house.table_owners import ALLOWED, OWNED_TABLES, OWNED_VIEWS, PUBLIC_TABLES
from tests.house.table_uses import TableUse, mapped_classes, table_uses, tables_in_sql

ROOT = Path(__file__).parents[2]
WORKER = ROOT / "worker"
CLASSES = mapped_classes(ROOT / "models")
OWNERS = {table: owner for owner, tables in OWNED_TABLES.items() for table in tables}
VIEW_OWNERS = {view: owner for owner, views in OWNED_VIEWS.items() for view in views}


def crossings_of(path: Path, root: Path = WORKER) -> list[tuple[str, TableUse]]:
    """Uses of tables that belong to another package, and writes to views; each with the module's name."""
    module = path.relative_to(root).with_suffix("").as_posix()
    package = module.split("/")[0]
    return [(module, use) for use in table_uses(path, CLASSES) if _crosses(package, use)]


@cache
def worker_crossings() -> list[tuple[str, TableUse]]:
    """The crossings of every module of the worker."""
    return [crossing for path in sorted(WORKER.rglob("*.py")) for crossing in crossings_of(path)]


def _crosses(package: str, use: TableUse) -> bool:
    if use.table in VIEW_OWNERS:
        return use.writes
    return OWNERS.get(use.table, package) != package and (use.writes or use.table not in PUBLIC_TABLES)


def is_allowed(module: str, use: TableUse) -> bool:
    return any(module.startswith(crossing.modules) and use.table in crossing.tables for crossing in ALLOWED)


def test_no_statement_reaches_into_the_tables_of_another_package() -> None:
    crossings = [
        f"worker/{module}.py:{use.line}: {use.table} belongs to worker/{(OWNERS | VIEW_OWNERS)[use.table]}"
        for module, use in worker_crossings()
        if not is_allowed(module, use)
    ]
    assert crossings == [], (
        "call a function of the owner or read a view of it (docs/architecture.md, SQL with an owner)"
    )


def test_what_is_allowed_is_still_needed() -> None:
    needed = {(module, use.table) for module, use in worker_crossings()}
    for crossing in ALLOWED:
        for prefix in crossing.modules:
            needs = any(module.startswith(prefix) for module, table in needed if table in crossing.tables)
            assert needs, f"remove {prefix} from ALLOWED in table_owners.py: {crossing}"
        for table in crossing.tables:
            needs = any(module.startswith(crossing.modules) for module, name in needed if name == table)
            assert needs, f"remove {table} from ALLOWED in table_owners.py: {crossing}"


def test_every_table_has_one_owner() -> None:
    assert sorted(OWNERS) == sorted(metadata.tables), "add the table to OWNED_TABLES in table_owners.py"
    assert sum(map(len, OWNED_TABLES.values())) == len(OWNERS)
    assert all((WORKER / package).is_dir() for package in OWNED_TABLES | OWNED_VIEWS)


def test_every_view_has_an_owner_and_a_line_in_the_documentation(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        views = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = 'public'").fetchall()
    assert sorted(VIEW_OWNERS) == sorted(name for (name,) in views), "add the view to OWNED_VIEWS in table_owners.py"
    page = (ROOT / "docs" / "architecture.md").read_text()
    for view, owner in VIEW_OWNERS.items():
        is_listed = any(f"`{view}`" in line and f"`worker/{owner}`" in line for line in page.splitlines())
        assert is_listed, f"add {view} to the table of views in docs/architecture.md"


PLANTED = '''
"""Reads FROM jobs, as a docstring may say."""
from sqlalchemy import select, text, update
from models.schedules import Schedule as Lesson
from models.people import User

_WITH = text("""
    WITH jobs AS (SELECT 1), lesson AS MATERIALIZED (
        SELECT id FROM tutor_schedules WHERE subject <> 'from deliveries')  -- not: from heartbeats
    SELECT * FROM jobs, lesson, (SELECT 1) AS one, whiteboard_pages page
""")
_PART = f"LEFT JOIN whiteboard_events ON {1} AND EXISTS (SELECT FROM users)"
_WRITE = text("DELETE FROM deliveries USING recording_renditions; INSERT INTO users VALUES (1)")
_LOCK = text("SELECT id FROM lessons FOR NO KEY UPDATE")


def read(lesson: Lesson) -> Lesson | None:
    statement = select(Lesson.id)
    return update(User), statement
'''


def test_a_planted_crossing_is_found(tmp_path: Path) -> None:
    path = tmp_path / "canvases" / "planted.py"
    path.parent.mkdir()
    path.write_text(PLANTED)
    crossings = crossings_of(path, tmp_path)
    assert [use for _module, use in crossings] == [
        TableUse(9, "tutor_schedules", writes=False),
        TableUse(10, "whiteboard_pages", writes=False),
        TableUse(12, "whiteboard_events", writes=False),
        TableUse(13, "deliveries", writes=True),
        TableUse(13, "recording_renditions", writes=False),
        TableUse(13, "users", writes=True),
        TableUse(18, "tutor_schedules", writes=False),
        TableUse(19, "users", writes=True),
    ]
    assert not any(is_allowed(module, use) for module, use in crossings)


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT 1 FROM a x, b AS y JOIN c USING (id), LATERAL (SELECT FROM d) z, e", ["a", "b", "c", "d", "e"]),
        ("INSERT INTO a (x) SELECT y FROM b ON CONFLICT (x) DO UPDATE SET x = 1 RETURNING x", ["a", "b"]),
        ("UPDATE a SET x = (SELECT max(y) FROM b) FROM c WHERE a.id = c.id AND x IN (1, 2)", ["a", "b", "c"]),
        ("DELETE FROM ONLY public.a USING b WHERE a.id = b.id", ["a", "b"]),
        ("SELECT id FROM a ORDER BY id, x FOR UPDATE OF a SKIP LOCKED", ["a"]),
        ("WITH b (x) AS (SELECT 1 FROM a), c AS NOT MATERIALIZED (SELECT 2) SELECT FROM b JOIN c ON true", ["a"]),
        ("MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN UPDATE SET x = 'FROM c'", ["a", "b"]),
        ("TRUNCATE TABLE a, b; LOCK TABLE c", ["a", "b", "c"]),
    ],
)
def test_tables_of_a_statement(sql: str, tables: list[str]) -> None:
    assert [use.table for use in tables_in_sql(sql) if use.table not in {"of", "set"}] == tables
