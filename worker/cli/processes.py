"""The long-running processes: api, worker, beat, Flower; and the health check of their heartbeats."""

import os
import re
from typing import Annotated

import typer

from worker.errors import InvalidInput, Misconfigured, Unavailable
from worker.logs import configure_logs
from worker.settings import Settings

# Celery expands %h and the like, and treats what follows an @ as a host.
_NAME = re.compile(r"[\w.-]{1,64}", re.ASCII)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (api, worker, beat, flower, alive):
        app.command()(command)


def api() -> None:
    """Serve the HTTP API (API_HOST, API_PORT)."""
    from worker.api.server import serve  # noqa: PLC0415 - a heavy import for one command

    settings = Settings()
    configure_logs(settings.log_level)
    serve(settings)


def worker(
    queues: Annotated[
        str, typer.Option(help="Queues, comma separated: default, reminders, media.")
    ] = "default,reminders,media",
    name: Annotated[
        str | None,
        typer.Option(help="What Flower and `astegni drain` call it, before the @; on one host each needs its own."),
    ] = None,
) -> None:
    """Run background jobs. `media` also serves this spool's queue; `reminders` also dispatches the reminders."""
    # SIGTERM shuts down gracefully: running jobs get some time, the others are requeued. Read when Celery is imported.
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    from worker.app import create_app, run_worker  # noqa: PLC0415 - after the line above
    from worker.queue_names import queues_of  # noqa: PLC0415 - likewise
    from worker.workflows.own_bucket import check_before_start  # noqa: PLC0415 - likewise

    settings = Settings()
    configure_logs(settings.log_level)
    if name is not None and not _NAME.fullmatch(name):
        raise InvalidInput("--name is at most 64 letters, digits and . _ -.")
    names = queues_of(queues.split(","), settings)
    if settings.backblaze_key_id is not None and any(name.startswith("media") for name in names):
        check_before_start(settings)
    run_worker(
        create_app(settings),
        names,
        name=name or queues.replace(",", "-"),
        concurrency=settings.worker_concurrency,
        log_level=settings.log_level,
    )


def beat() -> None:
    """Publish the timetable's routine jobs. Two instances at once are safe."""
    from worker.app import create_app  # noqa: PLC0415 - a heavy import for one command
    from worker.processes.metrics_server import serving_metrics  # noqa: PLC0415 - likewise

    settings = Settings()
    configure_logs(settings.log_level)
    with serving_metrics(settings):
        create_app(settings).Beat(quiet=True, loglevel=settings.log_level, redirect_stdouts=False).run()


def flower() -> None:
    """Serve Flower, which shows operators what the workers do (FLOWER_HOST, FLOWER_PORT, FLOWER_BASIC_AUTH)."""
    from worker.app import create_app  # noqa: PLC0415 - a heavy import for one command
    from worker.cli.flower import arguments, end_on_sigterm  # noqa: PLC0415

    settings = Settings()
    configure_logs(settings.log_level)
    words = arguments(settings, os.environ)
    app = create_app(settings)
    end_on_sigterm()
    app.start(words)


def alive(
    within: Annotated[float, typer.Option(help="Oldest heartbeat that still counts, in seconds.")] = 60.0,
) -> None:
    """Exit 0 when the process of READY_FILE had a recent heartbeat (for health checks)."""
    from worker.processes.liveness import VARIABLE, seconds_since_touched  # noqa: PLC0415 - it imports celery

    if VARIABLE not in os.environ:
        raise Misconfigured(f"{VARIABLE} names no file. Set it to the same path as for the process to be checked.")
    age = seconds_since_touched()
    if age is None:
        raise Unavailable("No heartbeat.")
    if age < -within:
        # A process that lives writes another within seconds.
        raise Unavailable(f"The last heartbeat is {-age:.0f} s in the future: the clock was set back since.")
    if age > within:
        raise Unavailable(f"The last heartbeat is {age:.0f} s old.")
