"""The parameters for planning lessons: from when, how far ahead, and whether colliding ones are skipped."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Planning:
    """The present moment, how many days ahead series are stored, and whether lessons that collide are skipped.

    Without `skip_conflicts` a collision raises LessonConflict, and nothing is stored.
    """

    now: datetime
    horizon_days: int
    skip_conflicts: bool = False
