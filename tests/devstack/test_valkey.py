from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from devstack.valkey import EmbeddedValkey
from tests.conftest import Gone, Starter

_STARTER = """
import sys, time
from pathlib import Path
from devstack.valkey import EmbeddedValkey
server = EmbeddedValkey(Path(sys.argv[1]))
server.start()
print(server.process.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path / "a 'quoted\" place") as server:
        yield server


def test_it_is_set_up_as_a_broker(server: EmbeddedValkey) -> None:
    with redis.Redis.from_url(server.url(3), decode_responses=True) as client:
        assert client.config_get("appendonly", "appendfsync", "maxmemory-policy", "dir", "bind") == {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "dir": str(server.root),
            "bind": "127.0.0.1",
        }
        assert client.client_info()["db"] == 3


def test_its_password_is_asked_for_and_not_shown(server: EmbeddedValkey) -> None:
    with (
        redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)) as outsider,
        pytest.raises(redis.AuthenticationError),
    ):
        outsider.ping()
    password = server.url().split(":")[2].split("@")[0]
    assert server.process is not None
    assert password not in Path(f"/proc/{server.process.pid}/cmdline").read_text()
    assert [path for path in server.root.glob("valkey.*") if path.stat().st_mode & 0o077] == []


def test_data_outlive_a_restart(server: EmbeddedValkey) -> None:
    with redis.Redis.from_url(server.url()) as client:
        client.lpush("default", "a job's id")

    server.stop()
    server.start()

    with redis.Redis.from_url(server.url()) as client:
        assert client.lrange("default", 0, -1) == [b"a job's id"]


def test_it_dies_with_its_starter(tmp_path: Path, starter: Starter, gone: Gone) -> None:
    process = starter(_STARTER, tmp_path)
    pid = int(process.line())

    process.kill()

    assert gone(pid)
