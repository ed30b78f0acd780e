"""Students who book the same package of a tutor share its lessons: later students join the first one's series."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bookings import SessionRequest
from models.people import TutorProfile
from models.series import Series
from worker.errors import Conflict
from worker.schedules.conflicts.clash import LessonConflict
from worker.schedules.planning import Planning
from worker.schedules.series.exclusions import exclude_for_student
from worker.schedules.series.membership import SeriesMember, booking_in_series, join_series, package_series
from worker.schedules.series.occurrences import recurrence_of
from worker.schedules.series.reconcile import lock_series
from worker.workflows.lessons.requested_times import RequestedTimes, is_part_of

_LIVE = ("active", "paused")


def series_to_join(
    session: Session, request: SessionRequest, student_id: int, requested: RequestedTimes | None
) -> Series | None:
    """Lock and return the oldest series of the package with the requested lessons, or any if no times are requested.

    Raises Conflict when the student has these lessons already. The lock on the tutor serialises acceptances until the
    end of the transaction, so two students of a package who are accepted concurrently share its lessons too.
    """
    if request.package_name is None:
        return None
    session.execute(select(TutorProfile.id).where(TutorProfile.id == request.tutor_id).with_for_update(key_share=True))
    for series in package_series(session, request.tutor_id, request.package_name):
        if requested is None or is_part_of(requested, recurrence_of(series)):
            (locked,) = lock_series(session, [series.id])
            # Its last booking may have ended while we waited for the lock.
            if locked.status in _LIVE:
                _check_not_in(session, locked, student_id)
                return locked
    return None


def join_lessons(
    session: Session, series: Series, member: SeriesMember, requested: RequestedTimes | None, planning: Planning
) -> None:
    """Add the student to the lessons that the booking covers. Raises LessonConflict unless `skip_conflicts`."""
    if requested is not None:
        exclude_for_student(session, series.id, member.student_id, requested.recurrence.excluded)
    conflicts = join_series(session, series.id, member, planning)
    theirs = [clash for clash in conflicts if clash.student_id in (None, member.student_id)]
    if theirs and not planning.skip_conflicts:
        raise LessonConflict(theirs)


def _check_not_in(session: Session, series: Series, student_id: int) -> None:
    booking_id = booking_in_series(session, series.id, student_id, _LIVE)
    if booking_id is not None:
        detail = f"Student {student_id} already has these lessons, by booking {booking_id}."
        raise Conflict(detail, booking_id=booking_id)
