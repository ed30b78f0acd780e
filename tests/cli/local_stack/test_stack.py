"""The whole stack with real components: some seconds each."""

import json
import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from devstack.supervisor import http_ready, start_program
from tests.conftest import Gone, Starter
from tests.waiting import TIMEOUT, wait_for
from worker.cli.local_stack.places import with_ports
from worker.cli.local_stack.services import reachable, services_for
from worker.cli.local_stack.stack import _url
from worker.settings import Settings

_UP = """
import json, sys
from pathlib import Path
from worker.cli.local_stack.stack import Stack, run_stack
from worker.logs import configure_logs
from worker.settings import Settings

configure_logs("INFO", as_json=True)

def ready(stack):
    pids = {service.name: service.process.pid for service in stack.services}
    print(json.dumps({"facts": stack.facts(), "pids": pids}), flush=True)

run_stack(Stack(Settings(), data=Path(sys.argv[1]), operator_token=lambda: "token"), ready)
"""


class Running:
    """A stack in the foreground of another process."""

    def __init__(self, process: Any) -> None:
        self.process = process
        report = json.loads(process.stdout.readline())
        self.facts: dict[str, Any] = report["facts"]
        self.pids: dict[str, int] = report["pids"]

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return int(self.process.wait(timeout=TIMEOUT))


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_two_at_once_share_no_port_and_one_keeps_its_processes_and_data_and_leaves_nothing(
    starter: Starter, gone: Gone, tmp_path: Path
) -> None:
    """Three starts for all of it. That SIGTERM leaves nothing is seen in tests/e2e, when its stack ends."""
    processes = [starter(_UP, tmp_path / name) for name in ("data", "other")]
    first, other = (Running(process) for process in processes)
    _share_no_port(first, other)
    assert other.end(signal.SIGTERM) == 0
    _is_complete(first)
    with psycopg.connect(first.facts["database_url"]) as connection:
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() is not None
        connection.execute("CREATE TABLE kept (word text)")
    _restarts_its_processes(first, gone, tmp_path / "data" / "run")
    family = first.family()
    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    assert [each for each in family if not gone(each.pid)] == []

    second = Running(starter(_UP, tmp_path / "data"))
    with psycopg.connect(second.facts["database_url"]) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    # Also its addresses: rows and open pages name them.
    assert second.facts["b2"] == first.facts["b2"]
    assert (second.facts["api"], second.facts["flower"]) == (first.facts["api"], first.facts["flower"])
    # A server that is lost is not started again: the stack ends.
    family = second.family()
    next(child for child in family if child.name() == "valkey-server").kill()
    assert second.process.wait(timeout=TIMEOUT) == 1
    assert [each for each in family if not gone(each.pid)] == []


def _share_no_port(*stacks: Running) -> None:
    ports = {(name, _port(stack.facts[name])) for stack in stacks for name in ("api", "flower")}
    assert len({port for _, port in ports}) == 2 * len(stacks)
    for stack in stacks:
        for name in ("api", "flower"):
            # Its own process listens: the answer of another stack's would look the same.
            assert _port(stack.facts[name]) in _listening(stack.pids[name])


def _listening(pid: int) -> set[int]:
    """The ports at which a process or its children accept connections."""
    process = psutil.Process(pid)
    connections = [each for member in (process, *process.children()) for each in member.net_connections("tcp")]
    return {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}


def _is_complete(stack: Running) -> None:
    assert list(stack.facts) == [
        "api",
        "flower",
        "b2",
        "database_url",
        "redis_url",
        "mailbox",
        "operator_token",
    ]
    assert list(stack.facts["b2"]) == ["realm", "key_id", "application_key", "bucket"]
    assert http_ready("127.0.0.1", _port(stack.facts["api"]), "/readyz")()
    assert http_ready("127.0.0.1", _port(stack.facts["flower"]), "/healthcheck")()


def _restarts_its_processes(stack: Running, gone: Gone, run: Path) -> None:
    ready_files = {name: run / name for name in ("beat", "worker-default")}
    for name, ready_file in ready_files.items():
        os.kill(stack.pids[name], signal.SIGKILL)
        assert gone(stack.pids[name])
        ready_file.unlink(missing_ok=True)
    wait_for(lambda: all(file.exists() for file in ready_files.values()))


def test_chosen_ports_are_kept(tmp_path: Path) -> None:
    with ExitStack() as running:
        chosen = with_ports(Settings(api_port=8123), tmp_path, running)

    assert chosen.api_port == 8123
    assert chosen.flower_port != 0
    with ExitStack() as running:
        assert with_ports(Settings(), tmp_path, running).flower_port == chosen.flower_port


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),  # noqa: S104 - nothing listens
        ("::", "http://[::1]:80"),
    ],
)
def test_addresses_can_be_reached(host: str, url: str) -> None:
    assert _url(host, 80) == url
    assert reachable("api.example") == "api.example"


def test_secrets_stand_in_no_command(tmp_path: Path) -> None:
    settings = Settings(
        database_url="postgresql://u:hush@127.0.0.1/x",
        redis_url="redis://:hush@127.0.0.1/0",
        backblaze_key_id="0000",
        backblaze_application_key="hush",
        secret_key="hush, a key of which nobody has heard",
    )

    services = services_for(settings, tmp_path, start_program)

    assert all("hush" not in " ".join(service._command) for service in services)
