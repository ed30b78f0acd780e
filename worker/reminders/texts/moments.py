"""Format moments for a reader's messages."""

from datetime import datetime
from zoneinfo import ZoneInfo

from worker.calendars.zones import known_zone, zone
from worker.reminders.texts.recipient import Recipient
from worker.reminders.texts.words import Words


def moment_text(moment: datetime, home: str | None, reader: Recipient, words: Words) -> str:
    """The moment in the reader's calendar and zone; the zone is named if it is not `home`."""
    place = _place(reader.timezone, home)
    local = moment.astimezone(place)
    shown = words.moment(local, reader.calendar)
    return shown if place.key == known_zone(home, "") else shown + words.in_zone(_city(place.key), _offset(local))


def _place(*names: str | None) -> ZoneInfo:
    """The first zone that exists, in any spelling. A person's account may contain any text; remind them anyway."""
    return zone(next(filter(None, (known_zone(name, "") for name in names)), "UTC"))


def _city(key: str) -> str:
    """A zone's name for people; empty for those that are only an offset ("UTC", "Etc/GMT-3")."""
    return key.rpartition("/")[2].replace("_", " ") if "/" in key and not key.startswith("Etc/") else ""


def _offset(local: datetime) -> str:
    """Like "UTC+3", "UTC-3:30"."""
    shift = local.utcoffset()
    minutes = int(shift.total_seconds()) // 60 if shift else 0
    hours, rest = divmod(abs(minutes), 60)
    if not minutes:
        return "UTC"
    return f"UTC{'+' if minutes > 0 else '-'}{hours}{f':{rest:02}' if rest else ''}"
