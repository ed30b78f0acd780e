"""`astegni jobs`: the ledger for operators, in PostgreSQL itself, so that it works when the API does not."""

import json as json_format
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy.orm import Session

from worker.cli.connection import settings_of_stack
from worker.database import Database
from worker.jobs.cancel import cancel_job, retry_job
from worker.jobs.reading import list_jobs, read_attempts, read_job
from worker.workflows.endings import ENDINGS

app = typer.Typer(help="Look at jobs, cancel them, try them again.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="Only jobs in this state.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind, like recordings.ingest.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only about this, like recording:12.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    json: AsJson = False,
) -> None:
    """Show jobs, the newest first."""
    with _ledger() as session:
        page = list_jobs(session, state=state, kind=kind, subject=subject, limit=limit)
    found = [job.document for job in page.jobs]
    if json:
        typer.echo(json_format.dumps(found))
        return
    table = Table(Column("id", min_width=36), "kind", "subject", "state", "attempt", "%", "why", box=None)
    for job in found:
        why = (job["error"] or {}).get("detail", "")
        table.add_row(
            job["id"], job["kind"], job["subject"], job["state"], str(job["attempt"]), str(job["progress"]), why
        )
    Console().print(table)


@app.command()
def show(job_id: UUID) -> None:
    """Show one job with the history of its attempts."""
    with _ledger() as session:
        document = {**read_job(session, job_id).document, "attempts": read_attempts(session, job_id)}
    typer.echo(json_format.dumps(document, indent=2))


@app.command()
def cancel(job_id: UUID) -> None:
    """Cancel a waiting job, or ask a running one to stop."""
    with _ledger() as session:
        state = cancel_job(session, ENDINGS, job_id)
    typer.echo("The running job was asked to stop." if state == "running" else "Cancelled.")


@app.command()
def retry(job_id: UUID) -> None:
    """Queue a failed, dead or cancelled job again."""
    with _ledger() as session:
        retry_job(session, job_id)
    typer.echo("Queued again.")


@contextmanager
def _ledger() -> Iterator[Session]:
    database = Database(settings_of_stack().sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        with database.transaction() as session:
            yield session
    finally:
        database.close()
