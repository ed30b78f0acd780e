"""Series made here follow the bookings that an import has changed. Nobody is notified."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from worker.reminders.planning.lessons import Scope, lessons_in
from worker.reminders.planning.plan import plan_reminders
from worker.schedules.planning import Planning
from worker.schedules.series.membership import follow_in_series
from worker.workflows.platform_import.kind import Pull

# Days that were never stored are left to the job that fills series.
_NO_FURTHER_DAYS = 0


def follow_imported(session: Session, booking_ids: Collection[int], pull: Pull) -> None:
    """Cancel or restore the future lessons of these bookings' series, and replan their reminders. Idempotent."""
    series_ids = follow_in_series(session, booking_ids, Planning(pull.now, _NO_FURTHER_DAYS))
    if series_ids:
        plan_reminders(session, lessons_in(session, Scope(series_ids=series_ids), now=pull.now), now=pull.now)
