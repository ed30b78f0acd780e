"""`astegni b2`: the B2 emulator alone."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The Backblaze B2 emulator.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep `serve` a command of its own."""


@app.command()
def serve(
    data: Annotated[Path | None, typer.Option(help="Where objects are kept; default: a temporary folder.")] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 for a free one.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False,
) -> None:
    """Serve B2's native API on loopback until SIGTERM."""
    from worker.dev.emulator.credentials import Credentials  # noqa: PLC0415 - a heavy import for one command
    from worker.dev.emulator.server import run_emulator  # noqa: PLC0415

    def ready(credentials: Credentials) -> None:
        typer.echo(credentials.as_json() if json else f"B2 emulator at {credentials.realm}")

    if data is not None:
        run_emulator(data, port=port, on_ready=ready)
        return
    with tempfile.TemporaryDirectory(prefix="astegni-b2-") as folder:
        run_emulator(Path(folder), port=port, on_ready=ready)
