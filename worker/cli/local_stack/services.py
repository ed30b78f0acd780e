"""Which processes of ours make up the stack, and how each shows that it is ready."""

from pathlib import Path

from devstack.probes import answers, shows
from devstack.supervisor import Service
from worker.cli.local_stack.command import astegni
from worker.cli.local_stack.environment import environment_for
from worker.processes.liveness import VARIABLE
from worker.settings import Settings


def services_for(settings: Settings, directory: Path) -> list[Service]:
    """API, both workers, beat and Flower, not yet started; `settings` name every server and port."""
    environment = environment_for(settings)
    logs, signs = directory / "logs", directory / "run"
    signs.mkdir(mode=0o700, exist_ok=True)

    def listening(name: str, host: str, port: int, path: str) -> Service:
        return Service(name, astegni(name), logs / f"{name}.log", environment, answers(reachable(host), port, path))

    def signing(name: str, *arguments: str) -> Service:
        sign = signs / name
        return Service(
            name, astegni(*arguments), logs / f"{name}.log", environment | {VARIABLE: str(sign)}, shows(sign), sign
        )

    return [
        listening("api", settings.api_host, settings.api_port, "/readyz"),
        signing("worker-default", "worker", "--queues", "default,reminders"),
        signing("worker-media", "worker", "--queues", "media"),
        signing("beat", "beat"),
        listening("flower", settings.flower_host, settings.flower_port, "/healthcheck"),
    ]


def reachable(host: str) -> str:
    """The address at which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - it is looked up
