"""`astegni reminders`: lists due deliveries, and tests a channel. Directly in PostgreSQL, like `astegni jobs`."""

import json as json_format
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.operations.spans import parse_span
from worker.errors import AstegniError, Unavailable

if TYPE_CHECKING:
    from rich.table import Table

    from worker.reminders.delivery.due import DueDelivery

app = typer.Typer(help="List due deliveries, and test a channel.", no_args_is_help=True)

# Wide enough for every column where the width of the terminal is unknown.
_PIPED_WIDTH = 200


class NotSent(AstegniError):
    """The test message will not be sent."""

    code, title = "not-sent", "Not sent"


@app.command()
def due(
    within: Annotated[str, typer.Option(help="How far ahead to look, like 30m, 1h, 2d.")] = "1h",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of deliveries.")] = 200,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the messages that will be sent, each with its reason; the earliest first."""
    from rich.console import Console  # noqa: PLC0415 - not for `--help`

    from worker.cli.operations import deliveries  # noqa: PLC0415

    deliveries_due = deliveries.due_within(parse_span(within, "--within"), most=limit + 1)
    if len(deliveries_due) > limit:
        typer.echo(f"These are the first {limit}; there is more within {within} (--limit).", err=True)
        deliveries_due = deliveries_due[:limit]
    if json:
        typer.echo(json_format.dumps([deliveries.document(delivery) for delivery in deliveries_due]))
        return
    if not deliveries_due:
        typer.echo(f"Nothing is due within {within}.")
        return
    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    console.print(_table(deliveries_due))


@app.command("test")
def try_channel(
    user: Annotated[int, typer.Option(min=1, max=2**31 - 1, help="Id of the user to send it to.")],
    channel: Annotated[str, typer.Option(help="email, in_app, or the id of one of their channels.")] = "email",
    wait: Annotated[str, typer.Option(help="How long to wait, like 30s, 5m.")] = "30s",
) -> None:
    """Send a test message and wait for its outcome; exits 0 when it was sent.

    It is sent like every other message, so a worker with the queue `reminders` must run. Quiet hours do not delay it.
    """
    from worker.cli.operations import deliveries  # noqa: PLC0415 - not for `--help`

    trial = deliveries.try_channel(user, channel, parse_span(wait, "--wait"))
    outcome, why = trial.outcome, f": {trial.outcome.reason}" if trial.outcome.reason else ""
    if outcome.state == "sent":
        typer.echo(f"Sent to user {user} by {channel} in {trial.seconds:.1f} s (delivery {trial.delivery_id}).")
    elif outcome.is_over:
        raise NotSent(f"Delivery {trial.delivery_id} to user {user} by {channel} ended as {outcome.state}{why}.")
    elif outcome.attempts or outcome.reason:
        raise Unavailable(f"Delivery {trial.delivery_id} was tried and is not sent yet{why}.")
    else:
        raise Unavailable(f"Nobody sent delivery {trial.delivery_id}. Does a worker with queue `reminders` run?")


def _table(deliveries: "list[DueDelivery]") -> "Table":
    from rich.table import Column, Table  # noqa: PLC0415 - not for `--help`
    from rich.text import Text  # noqa: PLC0415

    from worker.calendars.zones import zone  # noqa: PLC0415
    from worker.settings import Settings  # noqa: PLC0415

    here = zone(Settings().timezone)
    folded = Column("why", overflow="fold")
    table = Table("when", "lesson", "person", "channel", folded, "state", box=None, title=f"Times of {here.key}")
    for delivery in deliveries:
        lesson = "" if delivery.schedule_id is None else f"{delivery.schedule_id} {delivery.subject or ''}".rstrip()
        if delivery.starts_at is not None:
            lesson += f", {delivery.starts_at.astimezone(here):%Y-%m-%d %H:%M}"
        state = delivery.state if delivery.reason is None else f"{delivery.state} ({delivery.reason})"
        when = f"{delivery.due_at.astimezone(here):%Y-%m-%d %H:%M:%S}"
        # As plain text: names are untrusted and may look like markup.
        cells = (when, lesson, f"{delivery.user_id} {delivery.person}", delivery.channel, delivery.why, state)
        table.add_row(*map(Text, cells))
    return table
