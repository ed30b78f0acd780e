"""Book a free slot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bookings import Booking
from models.schedules import Schedule
from worker.access.callers import Caller, UserCaller
from worker.errors import Conflict, Forbidden, InvalidInput, NotFound
from worker.schedules.commands import TouchedLessons
from worker.schedules.conflicts.clash import LessonConflict, ScheduleClash, translate_exclusion
from worker.schedules.conflicts.read_busy_times import find_conflicts
from worker.schedules.create_lesson import seat
from worker.schedules.reading import lock_lesson, students_of
from worker.schedules.slots import slot_times
from worker.schedules.standalone_lessons import covers, touch


@dataclass(frozen=True)
class SlotReservation:
    """A student books a free slot, or a parent for their child. Without a booking's id, the only one that fits."""

    schedule_id: int
    student_id: int | None
    booking_id: int | None
    now: datetime

    @property
    def touched(self) -> TouchedLessons:
        """The slot."""
        return TouchedLessons(self.schedule_id)

    def apply(self, session: Session, caller: Caller) -> Schedule:
        """The slot's own row, which becomes the lesson.

        Raises Forbidden, NotFound, InvalidInput for the student or booking, Conflict when the slot is no longer free,
        LessonConflict when tutor or student has another lesson at that time.
        """
        student_id = _student(session, caller, self.student_id)
        slot = session.get(Schedule, self.schedule_id)
        # Other people's lessons are private; only the fact that a slot is booked is disclosed.
        if slot is None or (slot.student_id is not None and slot.booked_at is None):
            raise NotFound(f"There is no slot {self.schedule_id}.")
        # Bookings are locked before lessons, here as everywhere.
        bookings = _lock_bookings(session, slot.tutor_id, student_id)
        lock_lesson(session, slot)
        if not _is_free(slot, self.now):
            raise Conflict(f"Slot {self.schedule_id} is not free any more.")
        booking = _booking(bookings, slot, self.booking_id)
        _take(session, slot, student_id, booking, self.now)
        return slot


def _is_free(slot: Schedule, now: datetime) -> bool:
    future = slot.starts_at is not None and slot.starts_at > now
    is_taken = slot.student_id is not None or slot.student_name is not None
    return not is_taken and slot.status == "scheduled" and future


def _take(session: Session, slot: Schedule, student_id: int, booking: Booking | None, now: datetime) -> None:
    def find() -> list[ScheduleClash]:
        return find_conflicts(
            session,
            tutor_id=slot.tutor_id,
            students=[student_id],
            day=slot.schedule_date,
            when=slot_times(slot),
            without=[slot.id],
        )

    conflicts = find()
    if conflicts:
        raise LessonConflict(conflicts)
    with translate_exclusion(session, find):
        seat(session, slot, student_id, booking.id if booking is not None else None)
        slot.booked_at = now
        touch(slot, now)


def _student(session: Session, caller: Caller, student_id: int | None) -> int:
    if not isinstance(caller, UserCaller) or (caller.student_id is None and caller.parent_id is None):
        raise Forbidden("Only students and parents book slots.")
    if student_id is None:
        if caller.student_id is None:
            raise InvalidInput("student_id is missing: say which of your children it is for.")
        return caller.student_id
    if student_id not in students_of(session, caller):
        raise InvalidInput(f"Student {student_id} is neither you nor a child of yours.")
    return student_id


def _lock_bookings(session: Session, tutor_id: int, student_id: int) -> Sequence[Booking]:
    """Lock the bookings that may be meant until the transaction ends."""
    theirs = select(Booking).where(
        Booking.tutor_id == tutor_id, Booking.student_id == student_id, Booking.status == "active"
    )
    return session.scalars(theirs.order_by(Booking.id).with_for_update(read=True)).all()


def _booking(bookings: Sequence[Booking], slot: Schedule, booking_id: int | None) -> Booking | None:
    """The named booking; without a name the only one that tutor and student have for that day, if any."""
    candidates = [booking for booking in bookings if booking_id in (None, booking.id) and covers(booking, slot)]
    if booking_id is not None and not candidates:
        raise InvalidInput(f"There is no active booking {booking_id} with this tutor for that day.")
    return candidates[0] if len(candidates) == 1 else None
