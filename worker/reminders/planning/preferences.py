"""How a person wants to be notified: alarms, channels, language, time zone, calendar and quiet hours."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import time

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.people import User
from models.reminders import NotificationChannel, NotificationPreference
from models.states import CALENDARS
from worker.calendars.zones import zone
from worker.errors import InvalidInput

EMAIL, IN_APP = "email", "in_app"
LANGUAGES = ("en", "am")
MAX_ALARMS = 10
MAX_CHANNELS = 10
# Four weeks.
LONGEST_BEFORE = 40_320


@dataclass(frozen=True)
class Preferences:
    """Minutes before each lesson; channels, all of which are used; and fallbacks, in order, after a permanent failure.

    Language and time zone None: those of the account. Quiet hours are local times; the end may be before the start.
    """

    alarms: Sequence[int] = (1440, 15)
    channels: Sequence[str] = (EMAIL, IN_APP)
    fallback: Sequence[str] = ()
    language: str | None = None
    timezone: str | None = None
    calendar: str = "gregorian"
    quiet_start: time | None = None
    quiet_end: time | None = None


# The same as the defaults of the columns.
DEFAULTS = Preferences()
# People from the platform start without alarms: their lessons are imported with them, and a few dozen lessons would
# send hundreds of messages that nobody asked for. worker/reminders/planning/plan.py has the same rule.
PLATFORM_DEFAULTS = replace(DEFAULTS, alarms=())


def read_preferences(session: Session, user_id: int) -> Preferences:
    """The preferences of a person; the defaults when none are stored."""
    row = session.get(NotificationPreference, user_id)
    if row is not None:
        return Preferences(**{name: getattr(row, name) for name in asdict(DEFAULTS)})
    from_platform = session.scalar(select(User.platform_read_at.is_not(None)).where(User.id == user_id))
    return PLATFORM_DEFAULTS if from_platform else DEFAULTS


def write_preferences(session: Session, user_id: int, preferences: Preferences) -> None:
    """Replace the person's preferences. Pending reminders are left to worker.reminders.planning.plan.

    Raises InvalidInput for values that are unknown or too many, and for channels of somebody else.
    """
    check_alarms(preferences.alarms)
    if not preferences.channels:
        raise InvalidInput("channels is empty: name at least one. With no alarms, nothing reminds you of lessons.")
    check_channels(session, user_id, preferences.channels, field="channels")
    check_channels(session, user_id, preferences.fallback, field="fallback")
    _check_taste(preferences)
    values = asdict(preferences)
    statement = insert(NotificationPreference).values(user_id=user_id, **values)
    session.execute(
        statement.on_conflict_do_update(index_elements=["user_id"], set_={**values, "updated_at": func.now()})
    )


def lock_person(session: Session, user_id: int) -> None:
    """Serialise writes of one person's preferences and alarms. Inserts of rows that refer to the person do not wait."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))


def check_alarms(minutes: Sequence[int]) -> None:
    """Raise InvalidInput for too many alarms, duplicates, or one out of range."""
    if len(minutes) > MAX_ALARMS:
        raise InvalidInput(f"alarms has {len(minutes)} entries; at most {MAX_ALARMS} are kept.")
    if len(set(minutes)) != len(minutes):
        raise InvalidInput("alarms says the same time twice.")
    for minutes_before in minutes:
        if not 0 <= minutes_before <= LONGEST_BEFORE:
            raise InvalidInput(f"An alarm rings 0 to {LONGEST_BEFORE} minutes before a lesson, not {minutes_before}.")


def check_channels(session: Session, user_id: int, channels: Sequence[str], *, field: str) -> None:
    """Raise InvalidInput unless each is `email`, `in_app`, or a usable channel of the person."""
    if len(channels) > MAX_CHANNELS or len(set(channels)) != len(channels):
        raise InvalidInput(f"{field} names at most {MAX_CHANNELS} channels, each once.")
    named = [channel for channel in channels if channel not in (EMAIL, IN_APP)]
    if not named:
        return
    theirs = select(NotificationChannel).where(NotificationChannel.user_id == user_id)
    known = {str(channel.id): channel for channel in session.scalars(theirs)}
    for name in named:
        channel = known.get(name)
        if channel is None:
            raise InvalidInput(
                f"{field}: there is no channel {name[:20]!r} of yours; `email`, `in_app` are always there."
            )
        if channel.confirmed_at is None:
            raise InvalidInput(f"{field}: channel {name} is not confirmed yet; send the code that went there first.")
        if channel.disabled_at is not None:
            raise InvalidInput(f"{field}: channel {name} was switched off; confirm it by a new code (`/resend`).")


def _check_taste(preferences: Preferences) -> None:
    if preferences.language is not None and preferences.language not in LANGUAGES:
        raise InvalidInput(f"language is one of {', '.join(LANGUAGES)}.")
    if preferences.calendar not in CALENDARS:
        raise InvalidInput(f"calendar is one of {', '.join(CALENDARS)}.")
    if preferences.timezone is not None:
        zone(preferences.timezone)
    if (preferences.quiet_start is None) != (preferences.quiet_end is None):
        raise InvalidInput("quiet_start and quiet_end go together: send both or none.")
    if preferences.quiet_start is not None and preferences.quiet_start == preferences.quiet_end:
        raise InvalidInput("quiet_start and quiet_end are the same; leave both out to have no quiet hours.")
