"""A host without a container engine: the services of docker-compose.yml as processes, without isolation.

The hosts `postgres` and `redis`, ports and paths become loopback, free ports and folders; nothing else is changed.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from devstack.ports import free_port, retry_while_port_taken
from devstack.process import ChildProcess, wait_until
from devstack.programs import postgres_programs, valkey_server
from tests.compose.conftest import Compose
from worker.cli.local_stack.command import astegni
from worker.cli.local_stack.environment import environment_without_settings

HEALTHY_WITHIN = 90.0
# Images of others; the entry point of ours stands before the commands of all the rest.
SERVERS = {"postgres", "redis"}


class Host:
    """Gives every container its folders, ports and programs, and runs its command."""

    def __init__(
        self, compose: dict[str, Any], image_environment: dict[str, str], folder: Path, ports: dict[str, int]
    ) -> None:
        # Those without a profile, as `docker compose up` starts them.
        self.services: dict[str, Any] = {
            name: service for name, service in compose["services"].items() if "profiles" not in service
        }
        # Containers have a network each, so that all of them may use the same port.
        measured = [name for name, service in self.services.items() if "METRICS_PORT" in service["environment"]]
        self._metrics_ports = {name: str(free_port()) for name in measured}
        self.ports = ports
        self.running: dict[str, ChildProcess] = {}
        self._image_environment = image_environment
        self._folder = folder
        _programs(folder / "programs", ports["redis"])

    @classmethod
    def brought_up(cls, compose: Compose, image_environment: dict[str, str], folder: Path, postgres: int) -> Self:
        """A host with free ports on which every service is healthy; `postgres` is the port of its server."""
        return retry_while_port_taken(lambda: cls._bring_up_once(compose, image_environment, folder, postgres))

    @classmethod
    def _bring_up_once(cls, compose: Compose, image_environment: dict[str, str], folder: Path, postgres: int) -> Self:
        ports = {"postgres": postgres, "redis": free_port(), "8090": free_port(), "5555": free_port()}
        host = cls(compose, image_environment, Path(tempfile.mkdtemp(dir=folder)), ports)
        try:
            host.bring_up()
        except BaseException:
            host.kill()
            raise
        return host

    def root(self, name: str) -> Path:
        """What stands for the container's read-only file system: nothing may appear there."""
        return self._folder / "roots" / name

    def url(self, port: str) -> str:
        """Where the service is that compose publishes on `port`."""
        return f"http://127.0.0.1:{self.ports[port]}"

    def start(self, name: str) -> None:
        """Run the service's command."""
        place = self.place(name, "/data") if name == "redis" else self.root(name)
        place.mkdir(parents=True, exist_ok=True)
        command = self.words(name, self.services[name]["command"])
        log = self._folder / "logs" / f"{name}.log"
        self.running[name] = ChildProcess(name, command, log, env=self.environment(name), cwd=place)

    def words(self, name: str, words: list[str]) -> list[str]:
        """A command as this host says it; the image's entry point stands before those of ours."""
        translated = [self._local(word) for word in words]
        return translated if name in SERVERS else astegni(*translated)

    def environment(self, name: str) -> dict[str, str]:
        """The variables of image and service, translated, over those of our own shell that are no settings."""
        service = self.services[name]
        image = {} if name in SERVERS else self._image_environment
        named = {variable: self._local(value) for variable, value in image.items()} | self.variables(name)
        places = {
            variable: str(self.place(name, value))
            for variable, value in named.items()
            if value.startswith("/") and variable != "PYTHONPATH"
        }
        shell = environment_without_settings() | {"HOME": str(self.root(name)), "PGPORT": str(self.ports["postgres"])}
        shell["PATH"] = f"{self._folder / 'programs'}:{shell['PATH']}"
        if "tmpfs" in service:
            shell["TMPDIR"] = str(self.place(name, "/tmp"))  # noqa: S108 - the container's
        return shell | named | places

    def variables(self, name: str) -> dict[str, str]:
        """The variables of a service as this host says them."""
        named = {variable: self._local(value) for variable, value in self.services[name]["environment"].items()}
        return named | ({"METRICS_PORT": self._metrics_ports[name]} if name in self._metrics_ports else {})

    def place(self, name: str, path: str) -> Path:
        """Where a container's path is: in a volume that it may share, in its own /tmp, or in its closed root."""
        service = self.services[name]
        for mount in service.get("volumes", []):
            volume, _, target = mount.partition(":")
            if path == target or path.startswith(f"{target}/"):
                return self._create(self._folder / "volumes" / volume) / path.removeprefix(target).lstrip("/")
        for mount in service.get("tmpfs", []):
            target = mount.partition(":")[0]
            if path == target or path.startswith(f"{target}/"):
                return self._create(self._folder / "tmp" / name) / path.removeprefix(target).lstrip("/")
        return self.root(name) / path.lstrip("/")

    def is_healthy(self, name: str) -> bool:
        """Run the service's own health check once."""
        check = self.services[name]["healthcheck"]
        kind, *words = check["test"]
        assert kind == "CMD"
        command = self.words(name, words[1:]) if words[0] == "astegni" else [self._local(word) for word in words]
        timeout = int(check["timeout"].removesuffix("s"))
        ended = subprocess.run(
            command, env=self.environment(name), capture_output=True, timeout=timeout, check=False, cwd=self._folder
        )
        return ended.returncode == 0

    def wait_healthy(self, name: str) -> None:
        """Wait for the service's health; PostgreSQL runs before us and must be healthy at once."""
        if name in self.running:
            wait_until(lambda: self.is_healthy(name), self.running[name], HEALTHY_WITHIN, interval=1.5)
        else:
            assert self.is_healthy(name)

    def complete(self, name: str) -> None:
        """Run a one-shot service to its good end."""
        self.start(name)
        one_shot = self.running.pop(name)
        ended, exit_code = one_shot.wait(HEALTHY_WITHIN), one_shot.kill()
        assert (ended, exit_code) == (True, 0), one_shot.log_tail()

    def bring_up(self) -> None:
        """Start every service when what it waits for is there, then wait until all are healthy."""
        waiting = [name for name in self.services if name != "postgres"]
        completed: set[str] = set()
        while waiting:
            name = next(name for name in waiting if not set(waiting) & set(self.services[name].get("depends_on", {})))
            waiting.remove(name)
            for other, wait in self.services[name].get("depends_on", {}).items():
                if wait["condition"] == "service_healthy":
                    self.wait_healthy(other)
                else:
                    assert other in completed
            if self.services[name]["restart"] == "no":
                self.complete(name)
                completed.add(name)
            else:
                self.start(name)
        for name in self.running:
            self.wait_healthy(name)

    def kill(self) -> None:
        """End whatever still runs."""
        for process in self.running.values():
            process.kill()

    def _local(self, text: str) -> str:
        """Names, ports and addresses of the compose network, as they are here."""
        text = re.sub(r"@(postgres|redis):\d+/", lambda match: f"@127.0.0.1:{self.ports[match[1]]}/", text)
        text = re.sub(r"(?<=127\.0\.0\.1:)(8090|5555)\b", lambda match: str(self.ports[match[1]]), text)
        whole = {"0.0.0.0": "127.0.0.1", **{port: str(self.ports[port]) for port in ("8090", "5555")}}  # noqa: S104 - gone
        return whole.get(text, text)

    def _create(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _programs(folder: Path, redis_port: int) -> None:
    """The programs of the images of others, by their names: Valkey's are Redis', on our port."""
    server, client = valkey_server(), valkey_server().with_name("valkey-cli")
    scripts = {
        "redis-server": f'exec "{server}" "$@" --bind 127.0.0.1 --port {redis_port}',
        "redis-cli": f'exec "{client}" -p {redis_port} "$@"',
        "pg_isready": f'exec "{postgres_programs() / "pg_isready"}" "$@"',
    }
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)


@pytest.fixture
def host(
    b2_compose: Compose,
    image_environment: dict[str, str],
    image_modules: Path,
    tmp_path: Path,
    postgres_of_compose: int,
) -> Iterator[Host]:
    """Everything of docker-compose.yml, up and healthy, with the emulator for B2."""
    environment = image_environment | {"PYTHONPATH": str(image_modules)}
    host = Host.brought_up(b2_compose, environment, tmp_path, postgres_of_compose)
    yield host
    host.kill()
