"""How lessons are planned: from which moment, how far ahead, and what happens to those that collide."""

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
