"""The revisions: numbered, in one line, without models, each with a downgrade."""

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


def test_looks_from_before_there_was_one_record_are_taken_over(empty_database_url: str) -> None:
    migrate(empty_database_url, "0020")
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(
            "INSERT INTO operator_accesses (admin_id, action, address, at)"
            " VALUES (3, 'GET /v1/recordings/{recording_id}', '/v1/recordings/8', '2026-02-01')"
        )
        connection.execute(
            "INSERT INTO recording_accesses (recording_id, admin_id, action, at) VALUES"
            " (7, 3, 'read', '2026-01-01'), (7, 3, 'playback', '2026-01-02'), (7, 3, 'delete', '2026-01-03'),"
            " (8, 3, 'read', '2026-02-01')"
        )
        connection.execute(
            "INSERT INTO whiteboard_accesses (session_id, page_id, admin_id, action, at) VALUES"
            " (5, 6, 4, 'snapshots', '2026-01-04'), (5, NULL, 4, 'snapshot', '2026-01-05'),"
            " (5, NULL, 4, 'replay', '2026-01-06')"
        )
    migrate(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        looks = connection.execute("SELECT admin_id, action, address FROM operator_accesses ORDER BY at").fetchall()
    assert looks == [
        (3, "GET /v1/recordings/{recording_id}", "/v1/recordings/7"),
        (3, "GET /v1/recordings/{recording_id}/playback", "/v1/recordings/7/playback"),
        (3, "DELETE /v1/recordings/{recording_id}", "/v1/recordings/7"),
        (4, "GET /v1/whiteboard/pages/{page_id}/snapshots", "/v1/whiteboard/pages/6/snapshots"),
        (4, "POST /v1/whiteboard/sessions/{session_id}/snapshot", "/v1/whiteboard/sessions/5/snapshot"),
        (4, "POST /v1/whiteboard/sessions/{session_id}/replay", "/v1/whiteboard/sessions/5/replay"),
        (3, "GET /v1/recordings/{recording_id}", "/v1/recordings/8"),
    ]
