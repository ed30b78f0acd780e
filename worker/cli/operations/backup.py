"""`astegni backup`: what a restore of PostgreSQL has lost, and when sweeps may delete again."""

import json as json_format
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from worker.workflows.operations.check_backup import RecordingGap

app = typer.Typer(help="Look at a restored database beside its bucket.", no_args_is_help=True)


@app.command()
def check(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each recording.")] = False,
) -> None:
    """Say which recordings have rows without objects, and which objects have no row; exits 1 when there are any."""
    from worker import clock  # noqa: PLC0415 - not for `--help`
    from worker.cli.operations.recordings_target import recordings_target  # noqa: PLC0415
    from worker.workflows.operations.check_backup import find_gaps, why_sweeps_wait  # noqa: PLC0415

    gaps = 0
    with recordings_target() as target:
        reason = why_sweeps_wait(target.database)
        for gap in find_gaps(target.store, target.database, now=clock.now()):
            gaps += 1
            typer.echo(json_format.dumps(asdict(gap)) if json else _sentence(gap))
    if reason is not None:
        typer.echo(f"Sweeps wait: {reason} `astegni backup resume` ends that.", err=True)
    if gaps:
        raise typer.Exit(1)
    if not json:
        typer.echo("Rows and objects agree.")


@app.command()
def resume() -> None:
    """Accept the database as it is, and resume the sweeps of what no row names, once it is ORPHAN_AGE old."""
    from worker.cli.operations.recordings_target import recordings_target  # noqa: PLC0415 - not for `--help`
    from worker.storage.restores import resume_sweeps  # noqa: PLC0415

    with recordings_target() as target:
        resume_sweeps(target.store, target.database)
    typer.echo("Sweeps delete again what no row names.")


def _sentence(gap: "RecordingGap") -> str:
    if not gap.has_row:
        return f"no row: recording {gap.recording_id} has {len(gap.unnamed)} objects on B2 (astegni recordings adopt)"
    parts = []
    if gap.missing:
        parts.append(f"not on B2 as its rows say: {', '.join(gap.missing)}")
    if gap.unnamed:
        parts.append(f"named by no row: {', '.join(gap.unnamed)}")
    return f"recording {gap.recording_id}: {'; '.join(parts)}"
