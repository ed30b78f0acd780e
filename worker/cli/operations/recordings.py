"""`astegni recordings`: recordings for operators, read directly from PostgreSQL and Backblaze B2."""

import json as json_format
from datetime import timedelta
from typing import Annotated

import typer

from worker.cli.operations.operator_name import As, actor
from worker.errors import InvalidInput

app = typer.Typer(help="Show, retry, verify and adopt recordings.", no_args_is_help=True)

RecordingId = Annotated[int, typer.Argument(min=1, max=2**31 - 1, metavar="ID")]


@app.command()
def show(recording_id: RecordingId) -> None:
    """Show one recording as JSON: its row, renditions, jobs, and its objects on B2 with their sizes.

    When B2 cannot be asked, `objects` is null and stderr says why.
    """
    from worker.cli.operations.recordings_target import recordings_target  # noqa: PLC0415 - not for `--help`
    from worker.workflows.recordings.show_recording import show_recording  # noqa: PLC0415

    with recordings_target() as target:
        shown = show_recording(target.database, lambda: target.store, recording_id)
    typer.echo(json_format.dumps(shown.document, indent=2))
    if shown.error is not None:
        raise shown.error


@app.command()
def retry(recording_id: RecordingId, as_: As = None) -> None:
    """Order again whatever of a recording ended badly: ingest, renditions, pictures, source, other jobs."""
    from worker.cli.operations.recordings_target import recordings_target  # noqa: PLC0415 - not for `--help`
    from worker.workflows.recordings.retry_recording import retry_recording  # noqa: PLC0415

    with recordings_target() as target:
        parts = retry_recording(target.database, recording_id, by=actor(as_))
    for part in parts:
        if part.error is None:
            typer.echo(f"Queued again: {part.part} (job {part.job_id})")
        else:
            typer.echo(f"astegni: {part.part}: {part.error}", err=True)
    if not parts:
        typer.echo("Nothing of it ended badly.")
    if any(part.error for part in parts):
        raise typer.Exit(1)


@app.command()
def verify(
    recording_id: Annotated[int | None, typer.Argument(min=1, max=2**31 - 1, metavar="[ID]")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All recordings.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each fault.")] = False,
) -> None:
    """Compare rows with objects on B2: a line for each that is missing, of wrong size or SHA-1, or an orphan.

    Exits 1 when there are any. Orphans younger than ORPHAN_AGE are left out.
    """
    from worker import clock  # noqa: PLC0415 - not for `--help`
    from worker.cli.operations.recordings_target import recordings_target  # noqa: PLC0415
    from worker.workflows.operations.verify_recordings import verify_recordings  # noqa: PLC0415

    if (recording_id is None) is not all_:
        raise InvalidInput("Give the id of one recording, or --all.")
    faults = 0
    with recordings_target() as target:
        before = clock.now() - timedelta(seconds=target.settings.orphan_age)
        for fault in verify_recordings(target.store, target.database, recording_id, orphans_before=before):
            faults += 1
            document = {"fault": fault.fault, "object": fault.name, "recording_id": fault.recording_id}
            line = json_format.dumps({**document, "detail": fault.detail})
            typer.echo(line if json else f"{fault.fault}: {fault.name}: {fault.detail}")
    if faults:
        raise typer.Exit(1)
    if not json:
        typer.echo("Every object is as its row says.")


@app.command()
def adopt(
    recording_ids: Annotated[list[int] | None, typer.Argument(metavar="[ID]...")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would be done.")] = False,
    as_: As = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each recording.")] = False,
) -> None:
    """Recreate recordings from objects on B2 that no row names, after PostgreSQL was restored from a backup.

    Exits 1 when one cannot be adopted.
    """
    from worker.cli.operations.adoptions import document, sentence  # noqa: PLC0415 - not for `--help`
    from worker.cli.operations.recordings_target import recordings_target  # noqa: PLC0415
    from worker.workflows.operations.adopt_recordings import adopt_recordings  # noqa: PLC0415

    refused = adopted = 0
    with recordings_target() as target:
        spool_id, only = target.settings.spool_id, frozenset(recording_ids or ())
        adoptions = adopt_recordings(
            target.store, target.database, only, spool_id=spool_id, by=actor(as_), dry_run=dry_run
        )
        for adoption in adoptions:
            adopted, refused = adopted + 1, refused + (adoption.error is not None)
            line = json_format.dumps(document(adoption, dry_run=dry_run)) if json else sentence(adoption, dry_run)
            typer.echo(line, err=adoption.error is not None and not json)
    if not adopted and not json:
        typer.echo("Every object of a recording has a recording.")
    if refused:
        raise typer.Exit(1)
