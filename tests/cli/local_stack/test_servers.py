import smtplib
from contextlib import ExitStack
from pathlib import Path

import psycopg
import redis

from devstack.emulator.credentials import Credentials
from tests.conftest import MakeSettings
from tests.waiting import TIMEOUT
from worker.cli.local_stack.servers import Servers, start_servers
from worker.settings import Settings


def test_what_is_named_is_not_started(
    settings: MakeSettings, database_url: str, redis_url: str, b2: Credentials, tmp_path: Path
) -> None:
    named = settings(smtp_host="mail.example.org")

    with ExitStack() as running:
        servers = start_servers(named, tmp_path, running)

    assert servers == Servers(named, [], None)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_named_is_started_and_named(tmp_path: Path) -> None:
    with ExitStack() as running:
        servers = start_servers(Settings(smtp_user="nobody", smtp_password="hush"), tmp_path, running)
        completed = servers.settings

        assert [process.name for process in servers.processes] == ["postgres", "valkey", "b2", "mailbox"]
        psycopg.connect(str(completed.database_url)).close()
        with redis.Redis.from_url(str(completed.redis_url)) as client:
            assert client.ping()
        assert completed.backblaze_realm.startswith("http://127.0.0.1:")
        assert completed.backblaze_application_key is not None
        assert servers.mailbox is not None
        assert servers.mailbox.smtp == f"{completed.smtp_host}:{completed.smtp_port}"
        assert completed.smtp_user is None
        with smtplib.SMTP(str(completed.smtp_host), completed.smtp_port, timeout=TIMEOUT) as server:
            assert server.noop()[0] == 250
        assert {path.name for path in (tmp_path / "logs").iterdir()} == {
            "postgres.log",
            "valkey.log",
            "b2.log",
            "mailbox.log",
        }

    assert [process.exit_code for process in servers.processes] == [0, 0, 0, 0]


def test_only_the_missing_one_is_started(
    settings: MakeSettings, database_url: str, b2: Credentials, tmp_path: Path
) -> None:
    with ExitStack() as running:
        servers = start_servers(settings(smtp_host="mail.example.org"), tmp_path, running)

        assert [process.name for process in servers.processes] == ["valkey"]
        assert servers.settings.database_url == database_url
        assert servers.settings.backblaze_key_id == b2.key_id
        assert servers.settings.smtp_host == "mail.example.org"
