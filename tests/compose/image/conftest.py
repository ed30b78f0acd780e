"""The containers of docker-compose.yml, run by podman with the image that is built; the servers run on this host."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack.process import ChildProcess
from tests.compose.conftest import Compose
from tests.compose.live.conftest import SERVERS, Host
from tests.waiting import TIMEOUT

IMAGE = "astegni-worker"
# The least that runs within a container, too, where no right is left to raise a limit or to make a cgroup of version 2.
_PODMAN = ("podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs")
_LIMITS = ("--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096")


def podman(*words: str) -> str:
    """The output of a command of podman."""
    run = subprocess.run([*_PODMAN, *words], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert run.returncode == 0, f"podman {' '.join(words)}: {run.stderr}"
    return run.stdout.strip()


class ContainerHost(Host):
    """Gives every service of ours a container with the rights that compose gives it, and no others."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._prefix = f"astegni-{secrets.token_hex(4)}"

    def start(self, name: str) -> None:
        """Run the service's command; servers run as processes."""
        if name in SERVERS:
            super().start(name)
            return
        service = self.services[name]
        variables = self.variables(name)
        # Names alone, values in the environment: arguments are for everybody to read.
        words = [*self._rights(service), *self._volumes(service), *(f"--env={variable}" for variable in variables)]
        command = [
            *_PODMAN,
            "run",
            "--rm",
            "--name",
            self.container(name),
            "--network",
            "host",
            *_LIMITS,
            *words,
            IMAGE,
        ]
        log = self._folder / "logs" / f"{name}.log"
        self.running[name] = ChildProcess(name, [*command, *service["command"]], log, env=os.environ | variables)

    def container(self, name: str) -> str:
        """The name of a service's container."""
        return f"{self._prefix}-{name}"

    def is_healthy(self, name: str) -> bool:
        """Run the service's own health check once, in its container."""
        if name not in self.running or name in SERVERS:
            return super().is_healthy(name)
        kind, *words = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        command = [*_PODMAN, "exec", self.container(name), *map(self._local, words)]
        return subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False).returncode == 0

    def kill(self) -> None:
        """End what still runs, and remove containers and volumes."""
        super().kill()
        for name in self.services.keys() - SERVERS:
            podman("rm", "--force", "--ignore", self.container(name))
        for volume in podman("volume", "ls", "--quiet", "--filter", f"name={self._prefix}").split():
            podman("volume", "rm", "--force", volume)

    def _rights(self, service: dict[str, Any]) -> list[str]:
        words = ["--read-only"] if service["read_only"] else []
        words += ["--init"] if service["init"] else []
        words += [f"--memory={service['mem_limit']}"]
        words += [f"--cap-drop={name}" for name in service["cap_drop"]]
        words += [f"--security-opt={option.partition(':')[0]}" for option in service["security_opt"]]
        return words + [f"--tmpfs={mount}" for mount in service["tmpfs"]]

    def _volumes(self, service: dict[str, Any]) -> list[str]:
        return [f"--volume={self._prefix}-{mount}" for mount in service.get("volumes", [])]


@pytest.fixture(scope="session")
def image() -> str:
    """The image that `make image` has built. Skips where there is none."""
    if shutil.which("podman") is None:
        pytest.skip("podman is missing (Debian: apt-get install podman runc catatonit): no container was run")
    listed = subprocess.run([*_PODMAN, "image", "exists", IMAGE], check=False)
    if listed.returncode:
        pytest.skip(f"there is no image {IMAGE}: run `make image`")
    return IMAGE


@pytest.fixture
def host(
    b2_compose: Compose, image: str, image_environment: dict[str, str], tmp_path: Path, postgres_of_compose: int
) -> Iterator[ContainerHost]:
    """Everything of docker-compose.yml, up and healthy, with the emulator for B2."""
    host = ContainerHost.brought_up(b2_compose, image_environment, tmp_path, postgres_of_compose)
    yield host
    host.kill()
