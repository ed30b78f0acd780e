"""`astegni migrate`: upgrades the database to this release."""

import typer

from worker.logs import configure_logs
from worker.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(migrate)


def migrate() -> None:
    """Upgrade the database of DATABASE_URL to this release. A foreign database is refused before any change.

    It also notices a database that was restored from a dump, before other processes make new rows.
    """
    from worker.database import Database  # noqa: PLC0415 - heavy imports for one command
    from worker.migrate import migrate as run  # noqa: PLC0415
    from worker.workflows.operations.check_backup import why_sweeps_wait  # noqa: PLC0415

    settings = Settings()
    configure_logs(settings.log_level)
    typer.echo(f"The database is at revision {run(settings.sqlalchemy_url)}.")
    database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        reason = why_sweeps_wait(database)
    finally:
        database.close()
    if reason is not None:
        typer.echo(f"Sweeps wait: {reason} Run `astegni backup check`.", err=True)
