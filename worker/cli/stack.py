"""`astegni up` and `astegni demo`: run the whole product on one machine."""

import json as json_format
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.devstack_access import devstack_for
from worker.cli.runfile import published_runfile
from worker.logs import configure_logs
from worker.settings import Settings

if TYPE_CHECKING:
    from worker.cli.local_stack.stack import Stack

# Lifetime of the operator's token: longer than a stack may reasonably run.
_YEAR = 366 * 86_400


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(up)
    app.command()(demo)


def up(
    data: Annotated[Path | None, typer.Option(help="Directory for all data; default: a temporary one.")] = None,
    sample: Annotated[
        bool,
        typer.Option("--sample", help="Make a tutor, a student, a parent, a booking, a whiteboard session and files."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False,
) -> None:
    """Run the whole product until Ctrl-C: servers that the environment does not name, API, workers, beat, Flower."""
    from worker.access.safety import require_safe  # noqa: PLC0415 - heavy imports for one command
    from worker.cli.up_output import print_facts, print_other_stacks, print_step  # noqa: PLC0415

    settings = Settings()
    require_safe(settings, settings.api_host)
    configure_logs("WARNING" if settings.log_level == "INFO" else settings.log_level)
    running = ExitStack()

    def ready(stack: "Stack") -> None:
        facts = stack.facts()
        if sample:
            facts["sample"] = running.enter_context(_sample(stack.settings, facts, data or Path(".data")))
        print_other_stacks()
        # What `doctor` looks at besides.
        running.enter_context(published_runfile({**facts, "spool_dir": str(stack.settings.spool_dir.absolute())}))
        if json:
            typer.echo(json_format.dumps(facts))
        else:
            print_facts(facts)

    with devstack_for("astegni up"), running:
        from worker.cli.local_stack.stack import Stack, run_stack  # noqa: PLC0415

        run_stack(
            Stack(settings, data=data, operator_token=lambda: operator_token(settings), on_step=print_step), ready
        )


@contextmanager
def _sample(settings: Settings, facts: dict[str, Any], parent: Path) -> Iterator[dict[str, Any]]:
    """The sample and its files in `parent`/sample; the file with the tokens is removed at the end of the block."""
    from worker.cli.sample import make_sample  # noqa: PLC0415 - heavy imports
    from worker.cli.sample_files import remove_sample_env, write_sample_files  # noqa: PLC0415 - heavy imports

    directory = parent / "sample"
    rows = make_sample(settings, facts["api"])
    write_sample_files(directory, rows, api=facts["api"], operator_token=facts["operator_token"])
    try:
        yield rows.as_json() | {"directory": str(directory)}
    finally:
        remove_sample_env(directory)


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep everything running until Ctrl-C.")] = False,
) -> None:
    """Demonstrate the product with a real browser recording, from an empty machine to a lesson that plays."""
    settings = Settings()
    configure_logs("WARNING")
    with devstack_for("astegni demo"):
        from worker.cli.demo.command import run_demo  # noqa: PLC0415 - a heavy import for one command

        run_demo(settings, operator_token=lambda: operator_token(settings), keep=keep)


def operator_token(settings: Settings) -> str:
    """An operator's token for the person who started the stack."""
    from worker.access.issue_token import issue_operator_token  # noqa: PLC0415 - not for `--help`

    departments = settings.operator_departments
    return issue_operator_token(settings.signing_key, admin_id=1, departments=departments, expires_in=_YEAR)
