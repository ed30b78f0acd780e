"""All tables: importing this module fills `metadata`."""

from models import (
    bookings,
    deliveries,
    heartbeats,
    installation,
    jobs,
    limits,
    notifications,
    operators,
    people,
    platform,
    recording_shares,
    recording_texts,
    recordings,
    reminders,
    schedules,
    series,
    snapshots,
    strokes,
    timetable,
    uploads,
    whiteboards,
)
from models.base import Base

TABLE_GROUPS = (
    people,
    bookings,
    series,
    schedules,
    timetable,
    jobs,
    whiteboards,
    strokes,
    recordings,
    recording_texts,
    recording_shares,
    reminders,
    deliveries,
    notifications,
    snapshots,
    heartbeats,
    installation,
    operators,
    limits,
    platform,
    uploads,
)

metadata = Base.metadata
