"""Which processes of ours make up the stack, and how each shows that it is ready."""

from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from worker.dev.environment import environment_for
from worker.dev.probes import answers, shows
from worker.dev.service import Service, astegni
from worker.processes.liveness import VARIABLE
from worker.settings import Settings

# A worker gives its running jobs 20 s to end (worker/app.py).
_STOP_TIMEOUT = 30.0


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


def start_services(services: Sequence[Service]) -> None:
    """Start all at once and wait until the last is ready; raises StartupFailed, and none is left running then."""
    try:
        for service in services:
            service.start()
        for service in services:
            service.wait()
    except BaseException:
        stop_services(services)
        raise


def stop_services(services: Sequence[Service]) -> None:
    """Ask all to stop, the last first, and wait until all have; again is harmless."""
    deadline = monotonic() + _STOP_TIMEOUT
    for service in reversed(services):
        service.ask_to_stop()
    for service in reversed(services):
        service.stop(deadline - monotonic())


def reachable(host: str) -> str:
    """The address at which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - it is looked up
