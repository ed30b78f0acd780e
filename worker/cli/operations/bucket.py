"""`astegni bucket`: which installation the bucket belongs to."""

import typer

from worker.settings import Settings

app = typer.Typer(help="The bucket of BACKBLAZE_BUCKET_NAME and the installation it belongs to.")


@app.callback()
def bucket() -> None:
    """The bucket of BACKBLAZE_BUCKET_NAME and the installation it belongs to."""


@app.command("take-over")
def take_over() -> None:
    """Make the bucket this installation's. The installation that had it is refused from then on.

    Objects that no row of this database names are swept once they are ORPHAN_AGE old.
    """
    from worker.workflows.own_bucket import take_over_bucket  # noqa: PLC0415 - not for `--help`

    take_over_bucket(Settings())
    typer.echo("The bucket belongs to this installation now.")
