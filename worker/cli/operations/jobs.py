"""`astegni jobs`: the ledger for operators, read directly from PostgreSQL: it works when the API does not."""

import json as json_format
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from worker.cli.operations import job_actions

app = typer.Typer(help="List, show, cancel, retry and purge jobs.", no_args_is_help=True)

# Wide enough for whole ids where the width of the terminal is unknown.
_PIPED_WIDTH = 240


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="Only jobs in this state.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only of this kind, like recordings.ingest.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only with this subject, like recording:12.")] = None,
    routine: Annotated[bool, typer.Option("--routine", help="Also beat's routine jobs.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List jobs, newest first; beat's routine jobs only with --routine, --state or --kind."""
    from rich.console import Console  # noqa: PLC0415 - not for `--help`
    from rich.table import Column, Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from worker.cli.operations import jobs_db  # noqa: PLC0415

    jobs = jobs_db.find_jobs(
        state=state,
        kind=kind,
        subject=subject,
        routine=routine or state is not None or kind is not None,
        limit=limit,
    )
    if json:
        typer.echo(json_format.dumps(jobs))
        return
    whole = Column("id", no_wrap=True, min_width=36)
    headings = ("kind", "subject", "state", "attempt", "%", "created", "took", "worker")
    table = Table(whole, *headings, Column("why", overflow="fold"), box=None)
    for job in jobs:
        why = (job["error"] or {}).get("detail", "")
        names = (job["id"], job["kind"], job["subject"] or "", job["state"])
        numbers = (str(job["attempt"]), str(job["progress"]), job["created_at"][:19], _took(job), job["worker"] or "")
        # As plain text: a reason may quote a file or a server, and look like markup.
        table.add_row(*map(Text, (*names, *numbers, why)))
    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    console.print(table)


def _took(job: dict[str, Any]) -> str:
    """Seconds of the last run; of a running job, so far."""
    if job["started_at"] is None or (job["finished_at"] is None and job["state"] != "running"):
        return ""
    end = datetime.fromisoformat(job["finished_at"]) if job["finished_at"] else datetime.now(UTC)
    return f"{max(0.0, (end - datetime.fromisoformat(job['started_at'])).total_seconds()):.1f} s"


@app.command()
def show(job_id: UUID) -> None:
    """Show one job with its attempts, and with who retried, cancelled or purged it."""
    from worker.cli.operations import jobs_db  # noqa: PLC0415 - not for `--help`

    typer.echo(json_format.dumps(jobs_db.find_job(job_id), indent=2))


job_actions.register(app)
