"""The migration command: which databases it changes, concurrent runs, and the state that it leaves."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine, make_url

from worker.errors import Misconfigured, Unavailable
from worker.migrate import ForeignDatabase, current, downgrade, migrate
from worker.migration_connection import MigrationBusy
from worker.settings import Settings

MIGRATIONS = Path(__file__).parents[2] / "migrations"
# Without `connect_timeout` psycopg waits 130 s.
_BEFORE_PSYCOPG_WOULD = 100.0
HEAD = max(path.name[:4] for path in (MIGRATIONS / "versions").glob("0*.py"))


def test_refuses_the_platforms_own_database(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE TABLE users (id serial PRIMARY KEY, first_name text)")
        connection.execute("INSERT INTO users (first_name) VALUES ('Sara')")
    before = _everything(empty_database_url)

    with pytest.raises(ForeignDatabase, match="database for the worker"):
        migrate(empty_database_url)
    with pytest.raises(ForeignDatabase):
        downgrade(empty_database_url, "base")

    assert _everything(empty_database_url) == before
    assert before == ({"users", "users_pkey", "users_id_seq"}, [(1, "Sara")])


def test_refuses_a_users_view_too(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE VIEW users AS SELECT 1 AS id")

    with pytest.raises(ForeignDatabase):
        migrate(empty_database_url)

    assert current(empty_database_url) is None


@pytest.mark.parametrize("revision", ["9f3a1c", "0003"])
@pytest.mark.parametrize("table", ["users", "invoices"])
def test_refuses_another_programs_revision(empty_database_url: str, table: str, revision: str) -> None:
    """`0003` is a number of ours too: the number alone proves nothing."""
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(sql.SQL("CREATE TABLE {} (id integer)").format(sql.Identifier(table)))
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES (%s)", (revision,))

    with pytest.raises(ForeignDatabase, match=f"{revision} of another program"):
        migrate(empty_database_url)

    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(revision,)]
        assert connection.execute("SELECT to_regclass('jobs')").fetchone() == (None,)


def test_refuses_a_newer_release(empty_database_url: str) -> None:
    migrate(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(ForeignDatabase, match="newer release"):
        migrate(empty_database_url)


def test_users_of_another_schema_are_none_of_its_business(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE SCHEMA auth")
        connection.execute("CREATE TABLE auth.users (id integer)")

    assert migrate(empty_database_url) == HEAD


def test_current_looks_without_touching(empty_database_url: str) -> None:
    assert current(empty_database_url) is None

    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,)


def test_two_migrators_at_once(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(migrate, [empty_database_url] * 4))

    assert results == [HEAD] * 4


def test_gives_up_on_a_lock_and_keeps_what_is_done(empty_database_url: str) -> None:
    migrate(empty_database_url)

    with psycopg.connect(empty_database_url) as reader:
        reader.execute("LOCK TABLE parent_profiles IN ACCESS SHARE MODE")
        with pytest.raises(MigrationBusy, match="lock"):
            downgrade(empty_database_url, "base", timeout=0)

    # 0024 is undone, each revision in its own transaction; 0023, which changes the locked table, is whole.
    assert current(empty_database_url) == "0023"
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("SELECT to_regclass('installation')").fetchone() == (None,)
        assert connection.execute("SELECT count(*) FROM parent_profiles").fetchone() == (0,)
    assert migrate(empty_database_url) == HEAD


def test_leaves_no_lock_and_no_timeout_in_a_pool(empty_database_url: str) -> None:
    engine = create_engine(Settings(database_url=empty_database_url).sqlalchemy_url)

    assert migrate(engine) == HEAD

    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "0"
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "0"
        assert (
            connection.exec_driver_sql(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
                "(SELECT oid FROM pg_database WHERE datname = current_database())"
            ).scalar()
            == 0
        )
    engine.dispose()


def test_a_silent_server_is_unavailable_and_no_password_is_told() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"postgresql://astegni:hidden@127.0.0.1:{listener.getsockname()[1]}/lessons"
        with pytest.raises(Unavailable) as raised:
            migrate(url)

    assert "127.0.0.1" in raised.value.detail
    assert "hidden" not in raised.value.detail


def test_migrations_are_found_wherever_they_are_installed(empty_database_url: str, tmp_path: Path) -> None:
    installed = tmp_path / "100% odd path"
    shutil.copytree(MIGRATIONS, installed / "migrations")
    program = (
        "import sys\n"
        "from worker.migrate import _scripts, migrate\n"
        "print(_scripts().parent.name, migrate(sys.argv[1]), 'migrations' in sys.modules)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, empty_database_url],
        env=os.environ | {"PYTHONPATH": str(installed)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == f"100% odd path {HEAD} False"


def _everything(url: str) -> tuple[set[str], list[tuple[int, str]]]:
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        return {name for (name,) in names}, connection.execute("SELECT * FROM users").fetchall()


def test_a_role_that_may_not_create_what_is_needed(empty_database_url: str) -> None:
    """The error names the missing right, and does not suggest to run the migration again."""
    role = f"narrow_{secrets.token_hex(6)}"
    with psycopg.connect(empty_database_url, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'narrow'").format(sql.Identifier(role)))
        try:
            url = make_url(empty_database_url).set(username=role, password="narrow", drivername="postgresql+psycopg")
            with pytest.raises(Misconfigured, match=r"permission denied .* own the database"):
                migrate(url)
        finally:
            owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_a_server_that_never_answers_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as threads:
        looked = threads.submit(current, f"postgresql+psycopg://x:hush@127.0.0.1:{silent.getsockname()[1]}/d")
        with pytest.raises(Unavailable, match="does not answer"):
            looked.result(_BEFORE_PSYCOPG_WOULD)
