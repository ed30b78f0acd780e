"""The processes of the product that make up the stack, and the readiness check of each."""

from pathlib import Path

from devstack.errors import StartupFailed
from devstack.process import ChildProcess
from devstack.supervisor import Service, http_ready
from worker.cli.local_stack.command import astegni
from worker.cli.local_stack.environment import environment_for
from worker.processes.liveness import VARIABLE
from worker.settings import Settings


def services_for(settings: Settings, directory: Path) -> list[Service]:
    """API, both workers, beat and Flower, not yet started; `settings` name every server and port."""
    environment = environment_for(settings)
    logs, ready_files = directory / "logs", directory / "run"
    ready_files.mkdir(mode=0o700, exist_ok=True)

    def listening(name: str, host: str, port: int, path: str) -> Service:
        ready = http_ready(reachable(host), port, path)
        return Service(name, astegni(name), logs / f"{name}.log", environment, ready=ready)

    def consuming(name: str, *arguments: str) -> Service:
        file = ready_files / name
        variables = environment | {VARIABLE: str(file)}
        return Service(name, astegni(*arguments), logs / f"{name}.log", variables, ready_file=file)

    return [
        listening("api", settings.api_host, settings.api_port, "/readyz"),
        consuming("worker-default", "worker", "--queues", "default,reminders"),
        consuming("worker-media", "worker", "--queues", "media"),
        consuming("beat", "beat"),
        listening("flower", settings.flower_host, settings.flower_port, "/healthcheck"),
    ]


def reachable(host: str) -> str:
    """The address at which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - a key of the table


_MIGRATION_TIMEOUT = 600.0


def migrate_database(settings: Settings, directory: Path) -> None:
    """Run the migration; raises StartupFailed with the end of its log."""
    migration = ChildProcess(
        "migrate", astegni("migrate"), directory / "logs" / "migrate.log", env=environment_for(settings)
    )
    try:
        ended = migration.wait(_MIGRATION_TIMEOUT)
    finally:
        exit_code = migration.kill()
    if not ended or exit_code != 0:
        raise StartupFailed(f"The migration failed. {migration.log} ends with:\n{migration.log_tail()}")
