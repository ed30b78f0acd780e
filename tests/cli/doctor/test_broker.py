"""What doctor reports about the broker, on real, misconfigured servers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from devstack.ports import free_port
from devstack.process import ChildProcess, wait_until
from devstack.programs import valkey_server
from tests.conftest import MakeSettings
from tests.waiting import TIMEOUT
from worker.app import create_app
from worker.cli.doctor.broker import check_broker, info_findings
from worker.cli.doctor.broker_rights import _REMEDY
from worker.cli.doctor.check_warning import CheckWarning
from worker.errors import Misconfigured, Unavailable
from worker.settings import Settings

Start = Callable[[str], int]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start("appendonly yes")`: the port of a Valkey with this configuration."""
    with ExitStack() as running:

        def start_server(configuration: str) -> int:
            port = free_port()
            folder = tmp_path / str(port)
            folder.mkdir()
            file = folder / "valkey.conf"
            file.write_text(f"bind 127.0.0.1\nport {port}\ndir {folder}\nsave ''\n{configuration}\n")
            server = ChildProcess("valkey", [valkey_server(), file], folder / "log", cwd=folder, env={})
            running.callback(server.kill)
            with redis.Redis(port=port) as client:
                wait_until(lambda: _answers(client), server, TIMEOUT)
            return port

        yield start_server


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def of(port: int, login: str = "") -> Settings:
    return Settings(redis_url=f"redis://{login}127.0.0.1:{port}/0")


def test_one_that_is_set_up_well(redis_url: str, database_url: str) -> None:
    settings = Settings(redis_url=redis_url, database_url=database_url)
    assert check_broker(settings).startswith("Valkey ")
    with redis.Redis.from_url(redis_url) as client:
        assert list(client.scan_iter("astegni:doctor*")) == []


def test_one_that_forgets_and_one_that_drops(start: Start) -> None:
    with pytest.raises(CheckWarning, match=r"^The broker forgets its messages .* set appendonly to yes\.$"):
        check_broker(of(start("appendonly no")))
    with pytest.raises(Misconfigured, match="maxmemory-policy to noeviction, not allkeys-lru"):
        check_broker(of(start("maxmemory 10mb\nmaxmemory-policy allkeys-lru")))


def test_a_managed_one_without_config_is_looked_at_by_info(start: Start) -> None:
    port = start("appendonly yes\nuser managed on >pw ~* &* +@all -config -@admin")
    assert check_broker(of(port, "managed:pw@")).startswith("Valkey ")


def test_rights_that_are_missing_are_named_with_the_remedy(start: Start) -> None:
    port = start(
        "appendonly yes\n"
        "user reader on >pw ~astegni:* &* +@read +@connection +info\n"
        "user elsewhere on >pw ~other:* &* +@all\n"
        "user silent on >pw ~astegni:* resetchannels +@all"
    )
    with pytest.raises(Misconfigured, match=r"may not use LPUSH, BRPOP, .*PUBLISH.* on keys astegni:\*.*ACL SETUSER"):
        check_broker(of(port, "reader:pw@"))
    with pytest.raises(Misconfigured, match="may not use LPUSH, LLEN"):
        check_broker(of(port, "elsewhere:pw@"))
    with pytest.raises(Misconfigured, match="may not use PUBLISH, SUBSCRIBE on"):
        check_broker(of(port, "silent:pw@"))


def test_the_remedy_is_enough(start: Start, settings: MakeSettings) -> None:
    rules = _REMEDY.removeprefix("ACL SETUSER … ")
    port = start(f"appendonly yes\nuser celery on >pw {rules}")
    assert check_broker(of(port, "celery:pw@")).startswith("Valkey ")
    app = create_app(of(port, "celery:pw@"))
    with app.connection_for_write() as link, link.channel() as channel:
        for queue in app.amqp.queues.values():
            queue(channel).declare()
        app.send_task("upkeep.check_queue", args=("x",), queue="default", connection=link)
        message = app.amqp.queues["default"](channel).get()
        assert message is not None
        message.ack()
    app.close()


def test_one_that_answers_and_takes_nothing(start: Start) -> None:
    port = start("appendonly yes\nmaxmemory 1mb\nmaxmemory-policy noeviction")
    with pytest.raises(Misconfigured, match="answers and refuses: it is full"):
        check_broker(of(port))
    with pytest.raises(Misconfigured, match="it has no database of this number"):
        check_broker(Settings(redis_url=f"redis://127.0.0.1:{port}/99"))
    with pytest.raises(Misconfigured, match="it is a replica"):
        check_broker(of(start("replicaof 127.0.0.1 1")))


def test_rabbitmq_that_does_not_answer() -> None:
    with pytest.raises(Unavailable, match=r"does not answer \(ConnectionRefusedError\)"):
        check_broker(Settings(redis_url="amqp://guest:hush@127.0.0.1:1/"))


def test_one_that_says_nothing_is_doubtful() -> None:
    assert info_findings({})[1] == [
        "the broker's user may not ask for INFO: maxmemory-policy must be noeviction and appendonly yes"
    ]
    old = {"redis_version": "6.2.1", "maxmemory_policy": "noeviction", "aof_enabled": 1}
    assert info_findings(old) == ([], ["version 6.2.1 is older than 7, the oldest that was tested"])
