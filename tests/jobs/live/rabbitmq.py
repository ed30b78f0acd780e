"""RabbitMQ of Debian as a node of a test's own: without its plugins, on free ports of 127.0.0.1."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from devstack.ports import free_port
from devstack.process import ChildProcess, wait_until
from tests.waiting import TIMEOUT

# Debian's commands in PATH change to the account `rabbitmq`; these run as they are called.
_PROGRAMS = Path("/usr/lib/rabbitmq/bin")
_OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"


def _documented() -> str:
    """The lines of rabbitmq.conf that the documentation asks for."""
    (lines,) = re.findall(r"```text\n((?:consumer_timeout)[^`]*)```", _OPERATIONS.read_text())
    return str(lines)


def is_installed() -> bool:
    """Whether Debian's server and Erlang are there."""
    return (_PROGRAMS / "rabbitmq-server").exists() and shutil.which("erl") is not None


class RabbitMQ:
    """A node in `folder`; `start` again after `kill` keeps what was durable."""

    def __init__(self, folder: Path) -> None:
        if not is_installed():
            pytest.skip("RabbitMQ was NOT TRIED: it is not installed (apt-get install rabbitmq-server)")
        folder.mkdir()
        (folder / "plugins").write_text("[].")
        (folder / "rabbitmq.conf").write_text(_documented())
        self._folder = folder
        self.port, distribution, epmd = free_port(), free_port(), free_port()
        self._environment = os.environ | {
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"astegni{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        }
        # The port mapper of Erlang: a node that finds none would start one that outlives it.
        self._epmd = ChildProcess("epmd", ["epmd"], folder / "epmd.log", env=self._environment)
        self.process: ChildProcess | None = None

    @property
    def url(self) -> str:
        """Its address, as REDIS_URL has it."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start the node and wait until it takes connections."""
        log = self._folder / "node.log"
        wait_until(self._mapper_answers, self._epmd, TIMEOUT)
        self.process = ChildProcess("rabbitmq", [str(_PROGRAMS / "rabbitmq-server")], log, env=self._environment)
        wait_until(lambda: "Starting broker... completed" in log.read_text(), self.process, TIMEOUT, interval=0.2)
        log.write_text("")

    def _mapper_answers(self) -> bool:
        command = ["epmd", "-names"]
        run = subprocess.run(command, env=self._environment, capture_output=True, timeout=TIMEOUT, check=False)
        return run.returncode == 0

    def kill(self) -> None:
        """End it without warning."""
        if self.process is not None:
            self.process.kill()
            self.process = None

    def close(self) -> None:
        """End it, and the port mapper."""
        self.kill()
        self._epmd.kill()

    def control(self, *words: str) -> str:
        """The output of a command of `rabbitmqctl`."""
        command = [str(_PROGRAMS / "rabbitmqctl"), "--quiet", *words]
        run = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout
