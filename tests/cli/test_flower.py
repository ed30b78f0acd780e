"""`astegni flower` as a process."""

import signal
from pathlib import Path

from devstack.ports import free_port
from devstack.process import ChildProcess, wait_until
from devstack.supervisor import http_ready
from devstack.valkey import EmbeddedValkey
from tests.conftest import MakeSettings
from worker.cli.local_stack.command import astegni
from worker.cli.local_stack.environment import environment_for


def test_it_ends_while_its_broker_is_away(settings: MakeSettings, tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "valkey") as valkey:
        configured = settings(redis_url=valkey.url(), flower_port=free_port())
        flower = ChildProcess("flower", astegni("flower"), tmp_path / "log", env=environment_for(configured))
        try:
            wait_until(http_ready("127.0.0.1", configured.flower_port, "/healthcheck"), flower, 120)
            assert valkey.process is not None
            # It takes connections and answers nothing: what asks it waits.
            valkey.process.signal(signal.SIGSTOP)
            flower.signal(signal.SIGTERM)
            ended = flower.wait(120)
            valkey.process.signal(signal.SIGCONT)
            assert ended, flower.log_tail(40)
            assert flower.exit_code == 0
        finally:
            flower.kill()
