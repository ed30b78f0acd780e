"""`astegni legacy`: imports the rows of older tables."""

from typing import Annotated

import typer

app = typer.Typer(help="Import the rows of older tables.", no_args_is_help=True)

# Wide enough for whole reasons where the width of the terminal is unknown.
_PIPED_WIDTH = 200
_LONGEST_SUBJECT = 60


@app.callback()
def legacy() -> None:
    """Import the rows of older tables."""


@app.command("import-enrollments")
def import_enrollments(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and change nothing.")] = False,
) -> None:
    """Import tutor_student_enrollments as bookings: one for each subject. Idempotent."""
    from collections import Counter  # noqa: PLC0415 - not for `--help`

    from rich.console import Console  # noqa: PLC0415
    from rich.table import Column, Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from worker.bookings.enrolled_subjects import shortened  # noqa: PLC0415
    from worker.cli.target import settings_of_stack  # noqa: PLC0415
    from worker.database import Database  # noqa: PLC0415
    from worker.workflows import import_enrollments as workflow  # noqa: PLC0415

    table = Table("enrollment", "subject", "outcome", "booking", Column("why", overflow="fold"), box=None)
    counts: Counter[str] = Counter()
    database = Database(settings_of_stack().sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        for line in workflow.import_enrollments(database, dry_run=dry_run):
            counts[line.outcome] += 1
            booking = "" if line.booking_id is None else str(line.booking_id)
            # Plain text without control characters: a subject like `[red]` is not markup.
            subject = Text(shortened(line.subject or "", _LONGEST_SUBJECT))
            table.add_row(str(line.enrollment_id), subject, line.outcome, booking, Text(line.reason or ""))
    finally:
        database.close()
    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    console.print(table)
    done = "would be imported" if dry_run else "imported"
    typer.echo(f"{counts['imported']} {done}, {counts['already there']} already there, {counts['refused']} refused.")
