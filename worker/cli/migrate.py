"""`astegni migrate`: upgrades the database to this release."""

import typer

from worker.logs import configure_logs
from worker.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(migrate)


def migrate() -> None:
    """Upgrade the database of DATABASE_URL to this release. A foreign database is refused before any change."""
    from worker.migrate import migrate as run  # noqa: PLC0415 - a heavy import for one command

    settings = Settings()
    configure_logs(settings.log_level)
    typer.echo(f"The database is at revision {run(settings.sqlalchemy_url)}.")
