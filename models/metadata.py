"""The one place that knows every table: importing it fills `metadata`."""

from models import bookings, jobs, people, recordings, schedules, whiteboards
from models.base import Base

TABLE_GROUPS = (people, bookings, schedules, jobs, whiteboards, recordings)

metadata = Base.metadata
