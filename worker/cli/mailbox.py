"""`astegni mailbox`: only the mailbox."""

from pathlib import Path
from typing import Annotated

import typer

from worker.cli.devstack_access import devstack_for

app = typer.Typer(help="A mailbox for development: it stores every mail and delivers none.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep `serve` a subcommand: Typer would merge a single command into its group."""


@app.command()
def serve(
    data: Annotated[Path | None, typer.Option(help="Where mail is stored; default: a temporary folder.")] = None,
    smtp_port: Annotated[int, typer.Option(help="SMTP port on 127.0.0.1; 0 for a free one.")] = 0,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1 that shows the mail as JSON; 0 for a free one.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False,
) -> None:
    """Receive mail by SMTP on loopback and show it, until SIGTERM."""
    with devstack_for("astegni mailbox serve"):
        from devstack.mailbox.command import serve as serve_mailbox  # noqa: PLC0415 - a heavy import for one command

        serve_mailbox(data, smtp_port=smtp_port, port=port, json=json)
