"""The processes of the product that make up the stack, and the readiness check of each."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack.errors import StartupFailed
from devstack.forked_process import ForkServer
from devstack.process import ChildProcess
from devstack.supervisor import Service, StartProcess, http_ready
from worker.cli.local_stack.environment import environment_for, environment_without_settings
from worker.processes.liveness import VARIABLE
from worker.settings import Settings

# The modules that the services import, loaded in the process from which they are forked.
_MODULES = ("worker.cli.main", "worker.migrate", "worker.app", "worker.api.server", "celery.beat", "flower.command")


def fork_server(directory: Path) -> ForkServer:
    """The process that forks the services: importing in each of them would be most of the CPU time of a start."""
    # Celery reads the variable when it is imported; `astegni worker` explains it.
    environment = environment_without_settings() | {"REMAP_SIGTERM": "SIGQUIT"}
    return ForkServer(directory / "logs" / "fork-server.log", _MODULES, environment)


def fork_astegni(server: ForkServer) -> StartProcess:
    """Return a function that starts `astegni`, whose arguments it takes in place of a command."""

    def start(name: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> ChildProcess:
        return server.start(name, "worker.cli", arguments, log, environment)

    return start


def services_for(settings: Settings, directory: Path, start_process: StartProcess) -> list[Service]:
    """API, both workers, beat and Flower, not yet started; `settings` name every server and port.

    `start_process` gets the arguments of `astegni` as the command.
    """
    environment = environment_for(settings)
    logs, ready_files = directory / "logs", directory / "run"
    ready_files.mkdir(mode=0o700, exist_ok=True)

    def listening(name: str, host: str, port: int, path: str) -> Service:
        ready = http_ready(reachable(host), port, path)
        log = logs / f"{name}.log"
        return Service(name, [name], log, environment, start_process=start_process, ready=ready)

    def consuming(name: str, *arguments: str) -> Service:
        file = ready_files / name
        log, variables = logs / f"{name}.log", environment | {VARIABLE: str(file)} | metrics_ports.get(name, {})
        return Service(name, arguments, log, variables, start_process=start_process, ready_file=file)

    # All processes have the same settings, and each needs a port of its own.
    metrics_ports = {
        name: {"METRICS_PORT": str(settings.metrics_port + number)}
        for number, name in enumerate(("worker-default", "worker-media", "beat"))
        if settings.metrics_port is not None
    }
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


def migrate_database(settings: Settings, directory: Path, start_process: StartProcess) -> None:
    """Run the migration; raises StartupFailed with the end of its log."""
    log = directory / "logs" / "migrate.log"
    migration = start_process("migrate", ["migrate"], log, environment_for(settings))
    try:
        ended = migration.wait(_MIGRATION_TIMEOUT)
    finally:
        exit_code = migration.kill()
    if not ended or exit_code != 0:
        raise StartupFailed(f"The migration failed. {migration.log} ends with:\n{migration.log_tail()}")
