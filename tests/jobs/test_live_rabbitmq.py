"""The ledger with RabbitMQ as its broker: quorum queues, and nothing lost with a node or a worker."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeSettings
from tests.forking.forked_process import ForkServer
from tests.jobs.live.rabbitmq import RabbitMQ
from tests.jobs.live.worker_stack import WorkerStack
from worker.api.operations.broker_state import broker_state
from worker.app import create_app
from worker.cli.doctor.broker import check_broker
from worker.cli.doctor.check_warning import CheckWarning
from worker.errors import Misconfigured
from worker.jobs.orders.recording_orders import MakeRenditions
from worker.processes.broker import CONSUMER_TIMEOUT
from worker.processes.drain import broker_errors, find_workers
from worker.queue_names import queue_names
from worker.settings import Settings


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A running node."""
    node = RabbitMQ(tmp_path_factory.mktemp("rabbitmq") / "node")
    try:
        node.start()
        yield node
    finally:
        node.close()


@pytest.fixture
def stack(
    rabbitmq: RabbitMQ, settings: MakeSettings, database_url: str, tmp_path: Path, fork_server: ForkServer
) -> Iterator[WorkerStack]:
    stack = WorkerStack(settings(redis_url=rabbitmq.url), tmp_path, fork_server)
    yield stack
    stack.close()


def test_orders_end_as_they_should_in_quorum_queues(stack: WorkerStack, rabbitmq: RabbitMQ) -> None:
    stack.start_worker()
    happy, again, crashed = stack.order("succeed"), stack.order("fail_once"), stack.order("crash")

    assert stack.wait_for(happy, "succeeded").attempt == 1
    assert stack.wait_for(again, "succeeded").attempt == 2
    assert stack.wait_for(crashed, "dead").attempt == 3
    types = dict(line.split("\t") for line in rabbitmq.control("list_queues", "name", "type").splitlines())
    assert {types.get(name) for name in queue_names(stack.settings)} == {"quorum", None}, (
        "what nobody consumes is absent"
    )


def test_the_job_of_a_killed_worker_runs_again(stack: WorkerStack) -> None:
    assert stack.repeat_after_kill(stack.start_worker()).attempt == 2


def test_a_job_outlives_the_broker(stack: WorkerStack, rabbitmq: RabbitMQ) -> None:
    stack.start_worker()
    stack.hold(on=True)
    running = stack.order("hold")
    stack.wait_for_start("hold")
    rabbitmq.kill()
    waiting = stack.order("succeed")
    rabbitmq.start()
    stack.hold(on=False)

    assert stack.wait_for(running, "succeeded").attempt == 1
    assert stack.wait_for(waiting, "succeeded").attempt == 1


def test_doctor_compares_the_queues(stack: WorkerStack, rabbitmq: RabbitMQ) -> None:
    stack.start_worker()
    stack.wait_for(stack.order("succeed"), "succeeded")
    arguments = dict(line.split("\t") for line in rabbitmq.control("list_queues", "name", "arguments").splitlines())
    assert f'"x-consumer-timeout",{CONSUMER_TIMEOUT}' in arguments["default"]
    # Debian's 3.10 does not read it.
    with pytest.raises(CheckWarning, match="set consumer_timeout"):
        check_broker(stack.settings)

    with stack.app.connection_for_write() as link:
        link.default_channel.queue_declare("reminders", durable=True, auto_delete=False)
    with pytest.raises(Misconfigured, match="queue reminders was declared by another release"):
        check_broker(stack.settings)
    rabbitmq.control("delete_queue", "reminders")

    rabbitmq.control("set_permissions", "guest", "^$", ".*", ".*")
    with pytest.raises(Misconfigured, match="may not declare the queue default"):
        check_broker(stack.settings)
    rabbitmq.control("set_permissions", "guest", ".*", ".*", ".*")


def test_the_documented_node_waits_for_the_longest_job(rabbitmq: RabbitMQ) -> None:
    """Otherwise it closes the channel, and Celery ends the worker: PreconditionFailed is no error of a connection."""
    known = rabbitmq.control("eval", "application:get_env(rabbit, consumer_timeout).")
    (milliseconds,) = map(int, re.findall(r"\d+", known))
    longest = MakeRenditions(1, session_id=1, seconds=Settings().recording_max_seconds).time_limit

    assert milliseconds == CONSUMER_TIMEOUT > longest * 1000


def test_what_it_refuses_is_told_from_an_outage(rabbitmq: RabbitMQ) -> None:
    login, host = (
        Settings(redis_url=f"amqp://guest:{password}@127.0.0.1:{rabbitmq.port}/{host}")
        for password, host in (("hush-hush", ""), ("guest", "nowhere"))
    )
    for settings, words in ((login, "refuses the user or password"), (host, "refuses the virtual host")):
        with pytest.raises(Misconfigured, match=words) as refused:
            check_broker(settings)
        assert "hush" not in refused.value.detail
        assert words in broker_state(settings)
    assert broker_state(Settings(redis_url=rabbitmq.url)) == "ok"

    app = create_app(login, ())
    with pytest.raises(broker_errors(app)):
        find_workers(app, (), host="x")
    app.close()
