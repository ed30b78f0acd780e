"""`astegni mailbox`: the mailbox alone."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="A mailbox for trying out: it keeps every mail and delivers none.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep `serve` a command of its own."""


@app.command()
def serve(
    data: Annotated[Path | None, typer.Option(help="Where mail is kept; default: a temporary folder.")] = None,
    smtp_port: Annotated[int, typer.Option(help="Port on 127.0.0.1 that takes mail; 0 for a free one.")] = 0,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1 of the page and its JSON; 0 for a free one.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False,
) -> None:
    """Take mail by SMTP on loopback and show it, until SIGTERM."""
    from worker.dev.mailbox.addresses import Addresses  # noqa: PLC0415 - a heavy import for one command
    from worker.dev.mailbox.server import run_mailbox  # noqa: PLC0415

    def ready(addresses: Addresses) -> None:
        typer.echo(addresses.as_json() if json else f"Mail to {addresses.smtp} is shown at {addresses.url}")

    if data is not None:
        run_mailbox(data, smtp_port=smtp_port, port=port, on_ready=ready)
        return
    with tempfile.TemporaryDirectory(prefix="astegni-mailbox-") as folder:
        run_mailbox(Path(folder), smtp_port=smtp_port, port=port, on_ready=ready)
