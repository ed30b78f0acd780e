"""The ledger with Redis behind Sentinel: the master is killed, jobs go on by its replica, and none is lost."""

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import MakeSettings
from tests.forking.forked_process import ForkServer
from tests.jobs.live.sentinel import MASTER_NAME, SENTINEL_PASSWORD, RedisWithSentinels
from tests.jobs.live.worker_stack import WorkerStack
from tests.waiting import wait_for
from worker.api.operations.broker_state import broker_state
from worker.cli.doctor.broker import check_broker
from worker.errors import AstegniError
from worker.settings import Settings


@pytest.fixture
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisWithSentinels]:
    """A master, its replica, and three Sentinels; with the parameter True they speak TLS alone."""
    servers = RedisWithSentinels(tmp_path / "redis", tls=getattr(request, "param", False))
    try:
        servers.start()
        yield servers
    finally:
        servers.close()


@pytest.fixture
def configured(servers: RedisWithSentinels, settings: MakeSettings, database_url: str) -> Settings:
    return settings(
        redis_url=servers.url,
        redis_ca_file=servers.ca_file,
        redis_master_name=MASTER_NAME,
        redis_sentinel_password=SENTINEL_PASSWORD,
    )


@pytest.fixture
def stack(configured: Settings, tmp_path: Path, fork_server: ForkServer) -> Iterator[WorkerStack]:
    stack = WorkerStack(configured, tmp_path, fork_server)
    yield stack
    stack.close()


def test_jobs_go_on_when_the_master_is_killed(stack: WorkerStack, servers: RedisWithSentinels) -> None:
    stack.start_worker()
    assert stack.wait_for(stack.order("succeed"), "succeeded").attempt == 1
    with servers.client(servers.master) as client:
        assert client.info("keyspace").keys() == {"db3"}

    stack.hold(on=True)
    running = stack.order("hold")
    stack.wait_for_start("hold")
    servers.kill_master()
    ordered = [stack.order("succeed") for _number in range(20)]
    stack.hold(on=False)

    assert stack.wait_for(running, "succeeded").attempt == 1
    for job in ordered:
        assert stack.wait_for(job, "succeeded").attempt == 1
    assert broker_state(stack.settings) == "ok"

    # And back: the former master returns as one, is made a replica, and replaces the other.
    servers.start_replica()
    with servers.client(servers.replica) as client:
        wait_for(lambda: client.info("replication").get("master_link_status") == "up")
    servers.kill_master()
    again = [stack.order("succeed") for _number in range(20)]
    for job in again:
        assert stack.wait_for(job, "succeeded").attempt == 1

    # What Flower shows of a worker, and the logs.
    shown = wait_for(stack.app.control.inspect().stats)
    assert "hush" not in stack.log() + json.dumps(shown)


@pytest.mark.parametrize("servers", [True], indirect=True)
def test_jobs_go_on_over_tls_when_the_master_is_killed(
    stack: WorkerStack, configured: Settings, servers: RedisWithSentinels
) -> None:
    stack.start_worker()
    assert stack.wait_for(stack.order("succeed"), "succeeded").attempt == 1
    servers.kill_master()
    for job in [stack.order("succeed") for _number in range(20)]:
        assert stack.wait_for(job, "succeeded").attempt == 1
    assert broker_state(configured) == "ok"
    with pytest.raises(AstegniError, match="4 Sentinels 1 do not answer"):
        check_broker(configured)

    # Flower shows it.
    assert "hush" not in json.dumps(wait_for(stack.app.control.inspect().stats))

    outsider = configured.model_copy(update={"redis_ca_file": None})
    assert broker_state(outsider) != "ok"
    with pytest.raises(AstegniError, match="Sentinel's certificate is not trusted"):
        check_broker(outsider)


def test_the_job_of_a_killed_worker_runs_again(stack: WorkerStack) -> None:
    assert stack.repeat_after_kill(stack.start_worker()).attempt == 2


def test_doctor_reaches_the_master(configured: Settings, servers: RedisWithSentinels) -> None:
    """It names the Sentinel that is not there."""
    with pytest.raises(AstegniError, match="4 Sentinels 1 do not answer") as doubt:
        check_broker(configured)
    assert "hush" not in doubt.value.detail


def test_a_look_at_the_broker_leaves_no_connection(configured: Settings, servers: RedisWithSentinels) -> None:
    """The API looks at each scrape of its metrics."""
    assert broker_state(configured) == "ok"
    ports = {servers.master, *servers.sentinels}
    left = [link for link in psutil.Process().net_connections() if link.raddr and link.raddr.port in ports]
    assert [link for link in left if link.status == psutil.CONN_ESTABLISHED] == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"redis_master_name": "another"}, "another"),
        ({"redis_sentinel_password": "hush-no"}, "REDIS_SENTINEL_PASSWORD"),
        ({"redis_url": "sentinel://127.0.0.1:1"}, "Sentinel"),
    ],
)
def test_what_is_wrong_is_named(configured: Settings, wrong: dict[str, str], message: str) -> None:
    settings = Settings(**(configured.model_dump(exclude_unset=True) | wrong))
    assert broker_state(settings) != "ok"
    with pytest.raises(AstegniError, match=message) as refused:
        check_broker(settings)
    assert "hush" not in refused.value.detail
