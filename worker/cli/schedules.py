"""`astegni schedules`: shows the lessons of a pattern before anything is booked."""

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Annotated

import typer

from worker.errors import InvalidInput

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(help="Preview patterns of lessons.", no_args_is_help=True)

# Wide enough for every column where the width of the terminal is unknown.
_PIPED_WIDTH = 160
_MAX_SHOWN = 1_000


@app.callback()
def group() -> None:
    """Keep `preview` a subcommand: Typer would merge a single command into its group."""


@app.command()
def preview(
    pattern: Annotated[str, typer.Argument(help='"every Monday, Friday" or an RRULE value; "" for one lesson.')],
    begin: Annotated[str | None, typer.Option("--from", help="First day, like 2026-01-31; default: today.")] = None,
    start: Annotated[str, typer.Option(help="Local time it starts.")] = "14:00",
    end: Annotated[str, typer.Option(help="Local time it ends; at or before the start: the next day.")] = "15:00",
    zone: Annotated[str | None, typer.Option(help="IANA time zone; default: the setting TIMEZONE.")] = None,
    count: Annotated[int, typer.Option(min=1, max=_MAX_SHOWN, help="How many lessons to show at most.")] = 10,
    until: Annotated[str | None, typer.Option(help="Show none after this day.")] = None,
    calendar: Annotated[
        str, typer.Option(help="gregorian, or ethiopian: months are Ethiopian, and its dates are shown too.")
    ] = ("gregorian"),
) -> None:
    """Show the days of a pattern, in local time and in UTC."""
    from rich.console import Console  # noqa: PLC0415 - not for `--help`

    from worker.calendars import zones  # noqa: PLC0415
    from worker.recurrence.request import TimeRequest, read_recurrence  # noqa: PLC0415
    from worker.settings import Settings  # noqa: PLC0415

    zone_name = zone or Settings().timezone
    first_day = _day(begin, "--from") if begin else datetime.now(zones.zone(zone_name)).date()
    request = TimeRequest(
        first_day, _clock(start, "--start"), _clock(end, "--end"), zone_name, pattern, calendar=calendar
    )
    recurrence = read_recurrence(request)
    last = _day(until, "--until") if until else date.max
    days = [day for day in recurrence.next_days(count) if day <= last]
    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    console.print(recurrence.text(), soft_wrap=True, markup=False, highlight=False)
    if recurrence.rule is not None:
        console.print(str(recurrence.rule), soft_wrap=True, markup=False, highlight=False)
    console.print(_table(days, request.start_time, request.end_time, zone_name, calendar))


def _table(days: list[date], start: time, end: time, zone_name: str, calendar: str) -> "Table":
    from rich.table import Table  # noqa: PLC0415

    from worker.calendars import zones  # noqa: PLC0415
    from worker.calendars.ethiopian import spoken_clock, to_ethiopian  # noqa: PLC0415
    from worker.recurrence.instants import instants_of  # noqa: PLC0415

    zone = zones.zone(zone_name)
    ethiopian = calendar.strip().casefold() == "ethiopian"
    beside = ("Ethiopian date", "told as") if ethiopian else ()
    table = Table("", "date", "day", "local time", "UTC", *beside, box=None)
    for number, (day, when) in enumerate(zip(days, instants_of(days, start, end, zone), strict=True), 1):
        # Local time as clocks show it: another time than the requested one where the clocks skip that.
        begins, ends = when.starts_at.astimezone(zone), when.ends_at.astimezone(zone)
        cells = [str(number), str(day), f"{begins:%A}", f"{begins:%H:%M} to {ends:%H:%M}"]
        cells.append(f"{when.starts_at.astimezone(UTC):%Y-%m-%dT%H:%MZ}")
        if ethiopian:
            hour, minute, part = spoken_clock(begins.time())
            cells += [str(to_ethiopian(day)), f"{hour}:{minute:02} ({part})"]
        table.add_row(*cells)
    return table


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{option} must be a day like 2026-01-31, not {text!r}.") from None


def _clock(text: str, option: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{option} must be a time like 14:00, not {text!r}.") from None
