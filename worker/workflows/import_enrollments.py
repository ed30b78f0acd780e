"""Turn the rows of the older table `tutor_student_enrollments` into bookings; idempotent."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from sqlalchemy import Text, case, cast, func, select
from sqlalchemy.orm import Session

from models.bookings import Booking, Enrollment
from worker.batches import batches
from worker.bookings.legacy_enrollments import EnrolledSubject, EnrollmentRow, read_enrollment
from worker.database import Database

# Rows per transaction.
_BATCH = 500
# More than fifty subjects of two hundred characters, each written as six (\u1234).
_LONGEST_SUBJECTS = 100_000
_LONGEST_FREQUENCY = 2_000

# In the order of EnrollmentRow. Values that Python may be unable to hold are read as text: `infinity`, deep JSON.
_subjects_text = cast(Enrollment.subjects, Text)
_COLUMNS = (
    Enrollment.id,
    Enrollment.tutor_id,
    Enrollment.student_id,
    # Truncated JSON is invalid, and is rejected as such.
    func.left(_subjects_text, _LONGEST_SUBJECTS),
    cast(Enrollment.start_date, Text),
    cast(Enrollment.end_date, Text),
    func.left(Enrollment.session_frequency, _LONGEST_FREQUENCY),
    Enrollment.session_duration,
    Enrollment.hourly_rate,
    Enrollment.status,
    Enrollment.is_active,
)
_CREATED_AT = case((func.isfinite(Enrollment.created_at), Enrollment.created_at), else_=func.now())


@dataclass(frozen=True)
class EnrollmentOutcome:
    """The outcome for one subject of an enrollment; `booking_id` if it now has a booking."""

    enrollment_id: int
    subject: str | None
    outcome: Literal["imported", "already there", "refused"]
    booking_id: int | None = None
    reason: str | None = None


def import_enrollments(database: Database, *, dry_run: bool = False) -> Iterator[EnrollmentOutcome]:
    """Create the missing bookings, one transaction per 500 rows; a `dry_run` only reports them."""

    def import_batch(session: Session, after: int) -> tuple[list[EnrollmentOutcome], int | None]:
        # Locked, so that concurrent imports create no booking twice: no constraint distinguishes bookings without a
        # subject.
        statement = select(*_COLUMNS).where(Enrollment.id > after).order_by(Enrollment.id).limit(_BATCH)
        rows = session.execute(statement.with_for_update()).all()
        lines = _import(session, [EnrollmentRow(*row) for row in rows], dry_run=dry_run)
        return lines, rows[-1][0] if len(rows) == _BATCH else None

    return chain.from_iterable(batches(database, import_batch))


def import_enrolled(session: Session, ids: Sequence[int]) -> list[EnrollmentOutcome]:
    """Create the missing bookings of these enrollments, in the caller's transaction."""
    statement = select(*_COLUMNS).where(Enrollment.id.in_(ids)).order_by(Enrollment.id)
    rows = session.execute(statement.with_for_update()).all()
    return _import(session, [EnrollmentRow(*row) for row in rows], dry_run=False)


def _import(session: Session, rows: Sequence[EnrollmentRow], *, dry_run: bool) -> list[EnrollmentOutcome]:
    there = _bookings_there(session, [row.id for row in rows])
    lines = []
    for row in rows:
        subjects, refused = read_enrollment(row)
        missing = _missing(subjects, there[row.id])
        for values in subjects:
            subject = values["subject"]
            if not any(values is entry for entry in missing):
                lines.append(EnrollmentOutcome(row.id, subject, "already there", there[row.id].get(subject)))
            elif dry_run:
                lines.append(EnrollmentOutcome(row.id, subject, "imported"))
            else:
                lines.append(EnrollmentOutcome(row.id, subject, "imported", _make(session, values)))
        lines += [EnrollmentOutcome(row.id, entry.subject, "refused", reason=entry.reason) for entry in refused]
    return lines


def _missing(subjects: list[EnrolledSubject], there: dict[str | None, int]) -> list[EnrolledSubject]:
    """Those without a booking. If there are as many bookings as subjects, none is missing: the tutor renamed some."""
    if len(there) >= len(subjects):
        return []
    return [values for values in subjects if values["subject"] not in there]


def _bookings_there(session: Session, enrollment_ids: Sequence[int]) -> defaultdict[int, dict[str | None, int]]:
    there: defaultdict[int, dict[str | None, int]] = defaultdict(dict)
    statement = select(Booking.enrollment_id, Booking.subject, Booking.id)
    for enrollment_id, subject, booking_id in session.execute(
        statement.where(Booking.enrollment_id.in_(enrollment_ids))
    ):
        there[enrollment_id or 0][subject] = booking_id
    return there


def _make(session: Session, values: EnrolledSubject) -> int:
    since = select(_CREATED_AT).where(Enrollment.id == values["enrollment_id"]).scalar_subquery()
    booking = Booking(**values, created_at=since)
    session.add(booking)
    session.flush()
    return booking.id
