from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg
import redis

from worker.dev.emulator.credentials import Credentials
from worker.dev.servers import start_servers
from worker.settings import Settings


def test_what_is_named_is_not_started(
    settings: Callable[..., Settings], database_url: str, redis_url: str, b2: Credentials, tmp_path: Path
) -> None:
    named = settings()

    with ExitStack() as running:
        completed, started = start_servers(named, tmp_path, running)

    assert completed == named
    assert started == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_named_is_started_and_named(tmp_path: Path) -> None:
    with ExitStack() as running:
        completed, started = start_servers(Settings(), tmp_path, running)

        assert [process.name for process in started] == ["postgres", "valkey", "b2"]
        psycopg.connect(str(completed.database_url)).close()
        with redis.Redis.from_url(str(completed.redis_url)) as client:
            assert client.ping()
        assert completed.backblaze_realm.startswith("http://127.0.0.1:")
        assert completed.backblaze_application_key is not None
        assert {path.name for path in (tmp_path / "logs").iterdir()} == {"postgres.log", "valkey.log", "b2.log"}

    assert [process.exit_code for process in started] == [0, 0, 0]


def test_only_the_missing_one_is_started(
    settings: Callable[..., Settings], database_url: str, b2: Credentials, tmp_path: Path
) -> None:
    with ExitStack() as running:
        completed, started = start_servers(settings(), tmp_path, running)

        assert [process.name for process in started] == ["valkey"]
        assert completed.database_url == database_url
        assert completed.backblaze_key_id == b2.key_id
