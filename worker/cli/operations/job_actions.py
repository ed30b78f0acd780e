"""`astegni jobs retry|cancel|purge`: one job by its id, or many by a filter."""

import json as json_format
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from worker.cli.operations.operator_name import As, actor
from worker.cli.operations.spans import parse_span
from worker.errors import InvalidInput

if TYPE_CHECKING:
    from worker.workflows.operations.act_on_jobs import JobActionResult

_PAST = {"retry": "retried", "cancel": "cancelled", "purge": "purged"}

JobIdArgument = Annotated[UUID | None, typer.Argument(help="One job; without it a filter says which.")]
State = Annotated[str | None, typer.Option(help="Only jobs in this state.")]
Kind = Annotated[str | None, typer.Option(help="Only of this kind, like recordings.ingest.")]
Subject = Annotated[str | None, typer.Option(help="Only with this subject, like recording:12.")]
OlderThan = Annotated[str | None, typer.Option(help="Only jobs that ended, or else were ordered, longer ago, like 2d.")]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many, the oldest first.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would be done.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for each job.")]


_HELP = {
    "retry": "Queue failed, dead or cancelled jobs again, each with a fresh set of attempts.",
    "cancel": "Cancel waiting jobs, and request that running ones stop.",
    "purge": "Delete jobs that have ended, with their attempts, before their retention does.",
}


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for action, help_text in _HELP.items():
        app.command(action, help=help_text)(_command(action))


def _command(action: str) -> Callable[..., None]:
    def act(
        job_id: JobIdArgument = None,
        state: State = None,
        kind: Kind = None,
        subject: Subject = None,
        older_than: OlderThan = None,
        limit: Limit = 1000,
        dry_run: DryRun = False,
        as_: As = None,
        json: Json = False,
    ) -> None:
        _act(action, job_id, (state, kind, subject, older_than), limit, dry_run, as_, json)

    return act


def _act(
    action: str,
    job_id: UUID | None,
    words: tuple[str | None, str | None, str | None, str | None],
    limit: int,
    dry_run: bool,
    as_: str | None,
    json: bool,
) -> None:
    from worker.cli.operations import jobs_db  # noqa: PLC0415 - not for `--help`
    from worker.jobs.operations.selection import JobFilter  # noqa: PLC0415

    state, kind, subject, older_than = words
    wanted = JobFilter(state, kind, subject, None if older_than is None else parse_span(older_than, "--older-than"))
    if job_id is not None and not wanted.is_empty:
        raise InvalidInput("Give the id of one job, or a filter, not both.")
    results = jobs_db.act(action, job_id=job_id, wanted=wanted, by=actor(as_), limit=limit, dry_run=dry_run)
    done, failed = _print(results, action, dry_run=dry_run, json=json)
    if not json and job_id is None:
        typer.echo(f"{'Would be ' if dry_run else ''}{_PAST[action]}: {done}; refused: {failed}.", err=True)
        if done + failed == limit:
            typer.echo(f"That is the limit; there may be more (--limit {limit}).", err=True)
    if failed:
        raise typer.Exit(1)


def _print(results: "Iterable[JobActionResult]", action: str, *, dry_run: bool, json: bool) -> tuple[int, int]:
    """Print each result as it comes; returns how many were done and how many were refused."""
    counts = {True: 0, False: 0}
    for result in results:
        counts[result.error is None] += 1
        if json:
            typer.echo(json_format.dumps(_document(result, action, dry_run)))
        elif result.error is None:
            typer.echo(_sentence(result, action, dry_run))
        else:
            typer.echo(f"astegni: {result.error}", err=True)
    return counts[True], counts[False]


def _sentence(result: "JobActionResult", action: str, dry_run: bool) -> str:
    job = result.job
    done = f"Would be {_PAST[action]}" if dry_run else _PAST[action].capitalize()
    if action == "cancel" and job.state == "running":
        done = "Would be asked to stop" if dry_run else "Asked to stop"
    return f"{done}: {job.id} {job.kind} {job.subject or '-'} ({job.state})"


def _document(result: "JobActionResult", action: str, dry_run: bool) -> dict[str, Any]:
    job = result.job
    return {
        "id": str(job.id),
        "kind": job.kind,
        "subject": job.subject,
        "state": job.state,
        "action": action,
        "done": result.error is None and not dry_run,
        "error": result.error,
    }
