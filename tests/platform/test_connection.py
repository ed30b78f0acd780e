"""A platform that is stopped, restarted, frozen or narrow: reads end in time, and go on afterwards."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devstack.postgres import EmbeddedPostgres
from tests.conftest import Platform
from worker.errors import Unavailable
from worker.platform.connection import PlatformConnection, StatementRejected


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path / "postgres", fast=True) as server:
        yield server


def _reads(platform_connection: PlatformConnection) -> bool:
    try:
        return [row.one for row in platform_connection.rows("SELECT 1 AS one", seconds=30)] == [1]
    except Unavailable:
        return False


def _until(platform_connection: PlatformConnection) -> None:
    for _ in range(600):
        if _reads(platform_connection):
            return
        time.sleep(0.1)
    pytest.fail("the platform was not found again")


def test_nothing_can_be_written(platform: Platform, platform_connection: PlatformConnection) -> None:
    for statement in ("UPDATE users SET first_name = 'x'", "CREATE TABLE mine (id integer)"):
        with pytest.raises(StatementRejected, match="ReadOnlySqlTransaction"):
            platform_connection.rows(statement)
    with pytest.raises(StatementRejected, match="permission denied for table users"):
        platform_connection.rows("SELECT password_hash FROM users")
    with psycopg.connect(platform.url, autocommit=True) as reader:
        reader.execute("SET default_transaction_read_only = off")
        for change in ("UPDATE users SET first_name = 'x'", "CREATE TABLE mine (id integer)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(change)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT id FROM users FOR UPDATE")


def test_a_rejection_names_no_value_and_the_connection_goes_on(platform_connection: PlatformConnection) -> None:
    with pytest.raises(StatementRejected) as rejected:
        platform_connection.rows("SELECT CAST('private' AS integer)")

    assert "private" not in rejected.value.detail
    assert _reads(platform_connection)


def test_json_that_is_deep_or_no_text(platform_connection: PlatformConnection) -> None:
    deep = "[" * 300 + "]" * 300
    [row] = platform_connection.rows(
        r"""SELECT CAST(%(deep)s AS jsonb) AS deep, CAST('"\ud800"' AS json) AS half,
                   CAST('[1.5, 2]' AS jsonb) AS plain""",
        {"deep": deep},
    )

    assert (str(row.deep), row.half, row.plain) == (deep, "\ud800", [1.5, 2])


def test_a_connection_that_was_cut_is_replaced_at_once(
    platform: Platform, platform_connection: PlatformConnection
) -> None:
    assert _reads(platform_connection)
    platform.owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'astegni-worker' AND datname = current_database()"
    )

    assert _reads(platform_connection)


def test_a_frozen_server_costs_one_wait_and_is_found_again(server: EmbeddedPostgres) -> None:
    """It accepts connections and never answers: `statement_timeout` would be its own."""
    platform_connection = PlatformConnection(server.url("postgres"))
    assert _reads(platform_connection)
    pid = platform_connection.rows("SELECT pg_backend_pid() AS pid")[0].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable):
            platform_connection.rows("SELECT 1", seconds=0.3)
        assert platform_connection.is_away
        with pytest.raises(Unavailable):
            platform_connection.rows("SELECT 1", seconds=3600)
    finally:
        os.kill(pid, signal.SIGCONT)
    _until(platform_connection)
    platform_connection.close()


def test_a_server_that_is_not_there(unused_port: int) -> None:
    platform_connection = PlatformConnection(f"postgresql://reader@127.0.0.1:{unused_port}/platform")

    assert not _reads(platform_connection)
    platform_connection.close()


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
