"""The revisions themselves: numbered, one line, no models, and a way back from each."""

import ast
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory

from worker.migrate import current, downgrade, migrate

MIGRATIONS = Path(__file__).parents[2] / "migrations"
REVISIONS = sorted((MIGRATIONS / "versions").glob("0*.py"))
NUMBERS = [path.name[:4] for path in REVISIONS]


def test_revisions_are_numbered_in_one_line() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))

    line = [script.revision for script in scripts.walk_revisions()][::-1]

    assert line == NUMBERS == [f"{number:04}" for number in range(1, len(REVISIONS) + 1)]
    assert scripts.get_heads() == [NUMBERS[-1]]


@pytest.mark.parametrize("path", [*REVISIONS, MIGRATIONS / "env.py"], ids=lambda path: path.stem)
def test_migrations_import_alembic_and_nothing_of_ours(path: Path) -> None:
    tree = ast.parse(path.read_text())

    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}

    assert imported == {"alembic"}


def test_up_down_up(empty_database_url: str) -> None:
    assert migrate(empty_database_url) == NUMBERS[-1]
    up = _names(empty_database_url)

    assert downgrade(empty_database_url, "base") is None
    assert _names(empty_database_url) == {("r", "alembic_version"), ("i", "alembic_version_pkc")}

    assert migrate(empty_database_url) == NUMBERS[-1]
    assert _names(empty_database_url) == up


def test_each_revision_goes_and_comes_back(empty_database_url: str) -> None:
    before: list[set[tuple[str, str]]] = []
    for number in NUMBERS:
        before.append(_names(empty_database_url))
        assert migrate(empty_database_url, number) == number
    ours = {("r", "alembic_version"), ("i", "alembic_version_pkc")}

    for number, names in zip(reversed(NUMBERS), reversed(before), strict=True):
        assert current(empty_database_url) == number
        downgrade(empty_database_url, "-1")
        assert _names(empty_database_url) == names | ours


def test_up_again_keeps_rows(empty_database_url: str) -> None:
    migrate(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("INSERT INTO users (first_name, email) VALUES ('Hana', 'hana@example.com')")

    assert migrate(empty_database_url) == NUMBERS[-1]

    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("SELECT first_name FROM users").fetchall() == [("Hana",)]


def _names(url: str) -> set[tuple[str, str]]:
    """Every relation, function and type that is there, by kind and name."""
    with psycopg.connect(url) as connection:
        return set(
            connection.execute(
                """
                SELECT relkind::text, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
                UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
                """
            )
        )
