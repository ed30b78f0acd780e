"""`astegni up` and `astegni demo`: the whole product on one machine."""

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from worker.logs import configure_logs
from worker.settings import Settings

# The stack's own operator: as long as the stack may reasonably run.
_YEAR = 366 * 86_400


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(up)
    app.command()(demo)


def up(
    data: Annotated[Path | None, typer.Option(help="Keep everything here; default: gone at the end.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False,
) -> None:
    """Run everything until Ctrl-C: servers that the environment does not name, API, workers, beat, Flower."""
    from worker.access.safety import require_safe  # noqa: PLC0415 - heavy imports for one command
    from worker.dev.runfile import remove_runfile, write_runfile  # noqa: PLC0415
    from worker.dev.stack import Stack, run_stack  # noqa: PLC0415

    settings = Settings()
    require_safe(settings, settings.api_host)
    configure_logs("WARNING" if settings.log_level == "INFO" else settings.log_level)

    def ready(stack: Stack) -> None:
        facts = stack.facts()
        write_runfile(facts)
        if json:
            typer.echo(json_format.dumps(facts))
            return
        typer.echo(f"API     {facts['api']}\nFlower  {facts['flower']}\nB2      {facts['b2']['realm']}")
        if facts["mailbox"]:
            typer.echo(f"Mail    {facts['mailbox']['url']}")
        typer.echo("Try `astegni ingest FILE --session N` in another terminal; Ctrl-C stops everything.")

    try:
        run_stack(Stack(settings, data=data, operator_token=lambda: operator_token(settings)), ready)
    finally:
        remove_runfile()


def demo() -> None:
    """Show the main job on a real browser recording, from an empty machine to a lesson that plays."""
    from worker.cli.demo import tell  # noqa: PLC0415 - a heavy import for one command

    settings = Settings()
    configure_logs("WARNING")
    tell(settings, operator_token=lambda: operator_token(settings))


def operator_token(settings: Settings) -> str:
    """A token for whoever runs the stack."""
    from worker.access.tokens import issue_operator_token  # noqa: PLC0415 - not for `--help`

    departments = settings.operator_departments
    return issue_operator_token(settings.signing_key, admin_id=1, departments=departments, expires_in=_YEAR)
