"""Rows of `requested_sessions` become session requests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.people import ParentProfile, StudentProfile, TutorProfile
from models.people import User as Person
from worker.access.names import name_of
from worker.bookings.platform_bookings import Pair, bookings_of_pairs
from worker.bookings.platform_requests import PlatformRequest, remove_requests, store_requests
from worker.errors import InvalidInput
from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.links import Link
from worker.platform.refusals import Refusal
from worker.platform.requesters import RequesterReading, read_requesters
from worker.platform.source import Join, Source
from worker.workflows.platform_import.kind import ImportOutcome, Incoming, Kind, Pull
from worker.workflows.platform_import.requested_schedule import requested_schedule

_TABLE = "requested_sessions"
_STATUSES = frozenset({"pending", "accepted", "rejected"})
_REQUESTERS: Mapping[str, type[StudentProfile] | type[ParentProfile]] = {
    "student": StudentProfile,
    "parent": ParentProfile,
}
_NO_LEARNER = Refusal("no-learner", "nobody is named to learn", "Name the child on the platform.", is_refused=False)


class Requests(Kind):
    """Requests for lessons, whatever became of them."""

    name = "request"
    source = Source(
        _TABLE,
        {
            "id": Column(_TABLE, "id", "integer", required=True),
            "tutor_id": Column(_TABLE, "tutor_id", "integer", required=True),
            "requester_id": Column(_TABLE, "requester_id", "integer", required=True),
            "requester_type": Column(_TABLE, "requester_type", "varchar", required=True),
            "requested_to_id": Column(_TABLE, "requested_to_id", "integer"),
            "package_name": Column("tutor_packages", "name", "varchar"),
            **{name: Column(_TABLE, name, "text") for name in ("status", "message", "preferred_schedule")},
            "schedule_type": Column(_TABLE, "schedule_type", "varchar"),
            **{name: Column(_TABLE, name, "jsonb") for name in ("year_range", "months", "days", "specific_dates")},
            **{name: Column(_TABLE, name, "time") for name in ("start_time", "end_time")},
            **{name: Column(_TABLE, name, "timestamp") for name in ("created_at", "responded_at", "rejected_at")},
        },
        changed=tuple(Column(_TABLE, name, "timestamp") for name in ("updated_at", "created_at")),
        joins=(Join("tutor_packages", "tutor_packages.id = requested_sessions.package_id"),),
    )
    _reading: RequesterReading | None = None

    def store(self, session: Session, rows: Sequence[Incoming], pull: Pull) -> Sequence[ImportOutcome]:
        if self._reading is None:
            self._reading = read_requesters(pull.connection, pull.catalog)
        if self._reading.is_contradicted:
            refusal = _contradicted(self._reading)
            return [ImportOutcome(incoming.row.id, incoming.id, (refusal,)) for incoming in rows]
        known = _read_known(session, [incoming.row for incoming in rows], self._reading)
        wanted = {incoming.row.id: _request(incoming, known, pull) for incoming in rows}
        taken = {row_id: request for row_id, (request, _) in wanted.items() if request is not None}
        ids = dict(zip(taken, store_requests(session, list(taken.values())), strict=True))
        return [
            ImportOutcome(incoming.row.id, ids.get(incoming.row.id, incoming.id), wanted[incoming.row.id][1])
            for incoming in rows
        ]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:  # noqa: ARG002 - as in Kind
        """Delete those that wait for an answer; what was answered stays."""
        remove_requests(session, [link.id for link in links if link.id is not None])


@dataclass(frozen=True)
class _Student:
    """A student as a request shows them."""

    id: int
    name: str | None
    grade_level: str | None


@dataclass(frozen=True)
class _Known:
    """What is stored of the people that requests name."""

    are_users: bool
    tutors: frozenset[int]
    students: Mapping[int, _Student]
    # By type and the number that a request holds.
    requesters: Mapping[tuple[str, int], int]
    bookings: Mapping[Pair, int]


def _read_known(session: Session, rows: Sequence[Row], reading: RequesterReading) -> _Known:
    requesters = {
        (kind, number): profile_id
        for kind, profile in _REQUESTERS.items()
        for number, profile_id in _requesters(
            session, profile, {row.requester_id for row in rows if row.requester_type == kind}, reading
        )
    }
    students = {row.requested_to_id for row in rows if row.requested_to_id is not None} | {
        profile_id for (kind, _), profile_id in requesters.items() if kind == "student"
    }
    tutors = {row.tutor_id for row in rows}
    return _Known(
        reading.are_users,
        frozenset(session.scalars(select(TutorProfile.id).where(TutorProfile.id == func.any(list(tutors))))),
        _students(session, students),
        requesters,
        bookings_of_pairs(session, _named_pairs(rows, requesters)),
    )


def _named_pairs(rows: Sequence[Row], requesters: Mapping[tuple[str, int], int]) -> set[Pair]:
    """The tutor and the student of each request that names one."""
    students = [(row, row.requested_to_id or requesters.get(("student", row.requester_id))) for row in rows]
    return {Pair(row.tutor_id, student_id) for row, student_id in students if student_id is not None}


def _requesters(
    session: Session,
    profile: type[StudentProfile] | type[ParentProfile],
    numbers: Iterable[int],
    reading: RequesterReading,
) -> list[tuple[int, int]]:
    """(number, profile id) of those that are known; of two profiles of a user the active one."""
    number = profile.user_id if reading.are_users else profile.id
    statement = select(number, profile.id).where(number == func.any(list(numbers)))
    rows = session.execute(statement.order_by(number, profile.is_active, profile.id.desc()))
    return [(found, profile_id) for found, profile_id in rows]


def _students(session: Session, ids: Iterable[int]) -> dict[int, _Student]:
    statement = select(StudentProfile.id, name_of(StudentProfile), StudentProfile.grade_level)
    statement = statement.join(Person, Person.id == StudentProfile.user_id)
    rows = session.execute(statement.where(StudentProfile.id == func.any(list(ids))))
    return {row[0]: _Student(*row) for row in rows}


def _request(incoming: Incoming, known: _Known, pull: Pull) -> tuple[PlatformRequest | None, tuple[Refusal, ...]]:
    """The request of a row (None: refused), and what is wrong with it."""
    row = incoming.row
    requester_id = known.requesters.get((row.requester_type, row.requester_id))
    student_id = row.requested_to_id
    if student_id is None and row.requester_type == "student":
        student_id = requester_id
    refusal = _refusal(row, requester_id, student_id, known)
    if refusal is not None or requester_id is None:
        return None, (refusal,) if refusal is not None else ()
    student = None if student_id is None else known.students[student_id]
    schedule, notes = _schedule(row, pull)
    if student is None:
        notes += (
            Refusal(
                "no-learner", "it does not say who will learn", "Name the child on the platform.", is_refused=False
            ),
        )
    request = PlatformRequest(
        incoming.id,
        row.tutor_id,
        requester_id,
        row.requester_type,
        student_id,
        student_name=student.name if student is not None else None,
        student_grade=student.grade_level if student is not None else None,
        package_name=row.package_name,
        status=row.status if row.status in _STATUSES else "pending",
        message=_message(row, schedule),
        schedule=schedule,
        booking_id=_booking_id(row, student_id, known),
        created_at=pull.written_at(row.created_at),
        responded_at=pull.written_at(row.responded_at or row.rejected_at),
    )
    return request, notes


def _refusal(row: Row, requester_id: int | None, student_id: int | None, known: _Known) -> Refusal | None:
    if requester_id is None:
        reason = f"user {row.requester_id} has no {row.requester_type} profile"
        if not known.are_users:
            reason = f"no {row.requester_type} profile {row.requester_id}"
        return Refusal("no-requester", reason, "Correct who asks on the platform, or delete the request there.")
    if row.tutor_id not in known.tutors:
        return Refusal("no-tutor", f"no tutor profile {row.tutor_id}", "Delete the request on the platform.")
    if student_id is not None and student_id not in known.students:
        return Refusal("no-student", f"no student profile {student_id}", "Correct who learns on the platform.")
    return None


def _schedule(row: Row, pull: Pull) -> tuple[Mapping[str, Any] | None, tuple[Refusal, ...]]:
    remedy = "Ask the requester for days and times."
    try:
        schedule = requested_schedule(
            schedule_type=row.schedule_type,
            years=row.year_range,
            months=row.months,
            days=row.days,
            dates=row.specific_dates,
            times=(row.start_time, row.end_time),
            timezone=pull.timezone,
        )
    except InvalidInput as error:
        return None, (Refusal("unknown-times", error.detail, remedy, is_refused=False),)
    if schedule is None:
        return None, (Refusal("says-no-times", "its schedule says nothing", remedy, is_refused=False),)
    return schedule, ()


def _message(row: Row, schedule: Mapping[str, Any] | None) -> str | None:
    """The message; where the schedule says nothing also the wish in the requester's own words."""
    parts = [row.message, None if schedule is not None else row.preferred_schedule]
    return "\n".join(part.strip() for part in parts if part and part.strip()) or None


def _booking_id(row: Row, student_id: int | None, known: _Known) -> int | None:
    if row.status != "accepted" or student_id is None:
        return None
    return known.bookings.get(Pair(row.tutor_id, student_id))


def _contradicted(reading: RequesterReading) -> Refusal:
    by_state, other = ("users", "profiles") if reading.are_users else ("profiles", "users")
    reason = (
        f"this state of the platform names {by_state} as requesters, and more rows fit {other}"
        f" ({reading.fit_users} fit users, {reading.fit_profiles} fit profiles)"
    )
    return Refusal("requester-unclear", reason, "Finish the platform's own conversion of requester_id.")
