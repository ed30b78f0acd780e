"""`astegni b2`: only the B2 emulator."""

from pathlib import Path
from typing import Annotated

import typer

from worker.cli.devstack_access import devstack_for
from worker.settings import Settings

app = typer.Typer(help="The Backblaze B2 emulator.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep `serve` a subcommand: Typer would merge a single command into its group."""


@app.command()
def serve(
    data: Annotated[Path | None, typer.Option(help="Where objects are stored; default: a temporary folder.")] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 for a free one.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False,
) -> None:
    """Serve B2's native API on loopback until SIGTERM."""
    with devstack_for("astegni b2 serve"):
        from devstack.emulator.command import serve as serve_b2  # noqa: PLC0415 - a heavy import for one command

        serve_b2(data, port=port, bucket=Settings.model_fields["backblaze_bucket_name"].default, json=json)
