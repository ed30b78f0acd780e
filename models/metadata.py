"""All tables: importing this module fills `metadata`."""

from models import (
    bookings,
    heartbeats,
    installation,
    jobs,
    limits,
    operators,
    people,
    platform,
    recording_shares,
    recording_texts,
    recordings,
    reminders,
    schedules,
    snapshots,
    timetable,
    uploads,
    whiteboards,
)
from models.base import Base

TABLE_GROUPS = (
    people,
    bookings,
    schedules,
    timetable,
    jobs,
    whiteboards,
    recordings,
    recording_texts,
    recording_shares,
    reminders,
    snapshots,
    heartbeats,
    installation,
    operators,
    limits,
    platform,
    uploads,
)

metadata = Base.metadata
