"""The interface of all changes that people make to lessons, so that one workflow can carry out each of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy.orm import Session

from worker.access.callers import Caller

Result_co = TypeVar("Result_co", covariant=True)


@dataclass(frozen=True)
class TouchedLessons:
    """The lessons that a command may change: one (with `whole_series` also the rest of its series), or a series."""

    schedule_id: int | None = None
    series_id: int | None = None
    whole_series: bool = False


class LessonCommand(Protocol[Result_co]):
    """A change of lessons at the moment `now`; `apply` writes it and raises what its own docstring says."""

    @property
    def now(self) -> datetime:
        """The present moment: lessons that have begun are not changed."""

    @property
    def touched(self) -> TouchedLessons:
        """The lessons that it may change."""

    def apply(self, session: Session, caller: Caller) -> Result_co:
        """Write the change, as `caller`."""
