"""`astegni drain`: workers take no new jobs, and the command ends when they hold none."""

import socket
from typing import Annotated

import typer

from worker.cli.operations.spans import parse_span
from worker.cli.target import settings_with_stack
from worker.errors import Unavailable


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(drain)


def drain(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Names as Flower shows them, like media@host.")
    ] = None,
    timeout: Annotated[str, typer.Option(help="How long to wait for running jobs, like 90s, 30m.")] = "30m",
) -> None:
    """Drain workers before they are stopped: these, or all of this host. Restart them to undo it.

    Exits 0 when they hold no more jobs, 69 when some are left after the timeout.
    """
    from worker.app import create_app  # noqa: PLC0415 - heavy imports for one command
    from worker.database import Database  # noqa: PLC0415
    from worker.processes.drain import broker_errors, find_workers, stop_consuming, wait_until_idle  # noqa: PLC0415

    seconds = parse_span(timeout, "--timeout").total_seconds()
    settings, _ = settings_with_stack()
    database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=0)
    app = create_app(settings, ())
    try:
        workers = find_workers(app, names or (), host=socket.gethostname())
        stop_consuming(app, workers)
        typer.echo(f"No new jobs for {', '.join(worker.name for worker in workers)}.")
        wait_until_idle(app, database, workers, seconds=seconds, report=_report)
    except broker_errors(app) as error:
        raise Unavailable(
            "The broker of REDIS_URL does not answer, or refuses the login: see `astegni doctor`."
        ) from error
    finally:
        app.close()
        database.close()
    typer.echo("They hold no jobs any more.")


def _report(left: int) -> None:
    typer.echo(f"{left} left", err=True)
