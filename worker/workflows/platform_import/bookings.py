"""Enrolments and groups become bookings: one for each pair of a tutor and a student.

An enrolment says who pays whom, a group who is taught together. Of several enrolments of one pair the one that goes on
decides, and of equal ones the latest. A group only adds bookings for pairs that have none.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.people import StudentProfile, TutorProfile
from worker.bookings.platform_bookings import (
    Pair,
    PlatformBooking,
    bookings_of_pairs,
    end_bookings,
    store_bookings,
)
from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.links import Link, linked_platform_ids, our_ids
from worker.platform.refusals import Refusal
from worker.platform.source import Join, Source
from worker.workflows.platform_import.courses import course_names, subject
from worker.workflows.platform_import.group_bookings import (
    bookings_of_groups,
    forget_group_bookings,
    note_group_bookings,
)
from worker.workflows.platform_import.kind import ImportOutcome, Incoming, Kind, Pull
from worker.workflows.platform_import.words import booking_status, session_format

_PACKAGE = {
    "package_name": Column("tutor_packages", "name", "varchar"),
    "session_format": Column("tutor_packages", "session_format", "varchar"),
    "session_duration": Column("tutor_packages", "session_duration", "numeric"),
    "package_courses": Column("tutor_packages", "course_ids", "integer[]"),
}
# The enrolment that decides is that of the first of these.
_RANKS = {"active": 3, "paused": 2, "completed": 1, "cancelled": 0}
_ENROLMENT = "enrolment"


class Enrolments(Kind):
    """Who pays whom for which package. A change of status leaves no trace there, so all of them are read."""

    name = _ENROLMENT
    source = Source(
        "enrolled_students",
        {
            "id": Column("enrolled_students", "id", "integer", required=True),
            "tutor_id": Column("enrolled_students", "tutor_id", "integer", required=True),
            "student_id": Column("enrolled_students", "student_id", "integer", required=True),
            "status": Column("enrolled_students", "status", "varchar"),
            "agreed_price": Column("enrolled_students", "agreed_price", "numeric"),
            "enrolled_at": Column("enrolled_students", "enrolled_at", "timestamp"),
            "created_at": Column("enrolled_students", "created_at", "timestamp"),
            **_PACKAGE,
        },
        changed=(Column("enrolled_students", "created_at", "timestamp"),),
        joins=(Join("tutor_packages", "tutor_packages.id = enrolled_students.package_id"),),
    )
    reads_all = True

    def store(self, session: Session, rows: Sequence[Incoming], pull: Pull) -> Sequence[ImportOutcome]:
        pairs = {_pair(incoming.row) for incoming in rows}
        known = _known_pairs(session, pairs)
        bookings = self._bookings(session, known, pull)
        return [self._outcome(incoming, bookings) for incoming in rows]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """End the bookings of pairs that have no other enrolment; those of the others follow these."""
        gone = {link.platform_id for link in links}
        linked = linked_platform_ids(session, self.name, [link.id for link in links if link.id is not None])
        others = {booking_id: sorted(set(ids) - gone) for booking_id, ids in linked.items()}
        end_bookings(session, [booking_id for booking_id, ids in others.items() if not ids])
        staying = [platform_id for ids in others.values() for platform_id in ids]
        rows = pull.reader(self.source).rows_of(staying) if staying else []
        self._bookings(session, {_pair(row) for row in rows}, pull)

    def _bookings(self, session: Session, pairs: Collection[Pair], pull: Pull) -> dict[Pair, int]:
        """Store the booking of each pair by all enrolments that it has there."""
        if not pairs:
            return {}
        enrolments: defaultdict[Pair, list[Row]] = defaultdict(list)
        for row in pull.reader(self.source).rows_with(("tutor_id", "student_id"), sorted(pairs)):
            enrolments[_pair(row)].append(row)
        ids = self._ids(session, enrolments)
        names = course_names(pull, [row.package_courses for rows in enrolments.values() for row in rows])
        wanted = [
            _booking(pair, ids.get(pair), max(enrolments[pair], key=_rank), names, pull) for pair in sorted(enrolments)
        ]
        return store_bookings(session, wanted)

    def _ids(self, session: Session, enrolments: dict[Pair, list[Row]]) -> dict[Pair, int]:
        """The booking of each pair: that of an enrolment which came before, else any that the pair has."""
        linked = our_ids(session, self.name, [row.id for rows in enrolments.values() for row in rows])
        ids = bookings_of_pairs(session, enrolments)
        for pair, rows in enrolments.items():
            of_pair = [linked[row.id] for row in rows if row.id in linked]
            if of_pair:
                ids[pair] = of_pair[0]
        return ids

    def _outcome(self, incoming: Incoming, bookings: dict[Pair, int]) -> ImportOutcome:
        row = incoming.row
        booking_id = bookings.get(_pair(row))
        if booking_id is None:
            return ImportOutcome(row.id, incoming.id, (_nobodys(_pair(row)),))
        return ImportOutcome(row.id, booking_id, _unknown_words(row))


class Groups(Kind):
    """Students who are taught together. Nothing of ours is a group: its lessons name tutor and students."""

    name = "group"
    source = Source(
        "enrolled_courses",
        {
            "id": Column("enrolled_courses", "id", "integer", required=True),
            "tutor_id": Column("enrolled_courses", "tutor_id", "integer", required=True),
            "students_id": Column("enrolled_courses", "students_id", "integer[]", required=True),
            "courses": Column("enrolled_courses", "course_id", "integer[]"),
            "status": Column("enrolled_courses", "status", "varchar"),
            "created_at": Column("enrolled_courses", "created_at", "timestamp"),
            **_PACKAGE,
        },
        changed=(Column("enrolled_courses", "created_at", "timestamp"),),
        joins=(Join("tutor_packages", "tutor_packages.id = enrolled_courses.package_id"),),
    )
    reads_all = True

    def store(self, session: Session, rows: Sequence[Incoming], pull: Pull) -> Sequence[ImportOutcome]:
        groups = [incoming.row for incoming in rows]
        known = _known_pairs(session, {pair for row in groups for pair in _pairs(row)})
        there = bookings_of_pairs(session, known)
        names = course_names(pull, [row.courses or row.package_courses for row in groups])
        missing: dict[Pair, PlatformBooking] = {}
        for row in groups:
            for pair in _pairs(row):
                if pair in known and pair not in there and pair not in missing:
                    missing[pair] = _booking(pair, None, row, names, pull)
        made = store_bookings(session, list(missing.values()))
        note_group_bookings(session, {made[pair]: _group_of(pair, groups) for pair in missing})
        return [_group_outcome(row, known) for row in groups]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """End the bookings that these groups alone gave. Its lessons are deleted with it."""
        gone = {link.platform_id for link in links}
        given = bookings_of_groups(session, gone)
        enrolled = linked_platform_ids(session, _ENROLMENT, given)
        tutors = sorted({(pair.tutor_id,) for pair in given.values()})
        groups = pull.reader(self.source).rows_with(("tutor_id",), tutors) if tutors else []
        others = {pair: row.id for row in groups if row.id not in gone for pair in _pairs(row)}
        end_bookings(session, [each for each, pair in given.items() if each not in enrolled and pair not in others])
        forget_group_bookings(session, given)
        note_group_bookings(session, {each: others[pair] for each, pair in given.items() if pair in others})


def _group_of(pair: Pair, groups: Sequence[Row]) -> int:
    return int(next(row.id for row in groups if pair in _pairs(row)))


def _known_pairs(session: Session, pairs: Collection[Pair]) -> set[Pair]:
    """Those of whom both profiles are stored here; that of nobody is not."""
    tutors = _stored(session, TutorProfile, {pair.tutor_id for pair in pairs})
    students = _stored(session, StudentProfile, {pair.student_id for pair in pairs})
    return {pair for pair in pairs if pair.tutor_id in tutors and pair.student_id in students}


def _stored(session: Session, profile: type[TutorProfile] | type[StudentProfile], ids: Iterable[int]) -> set[int]:
    return set(session.scalars(select(profile.id).where(profile.id == func.any(list(ids)))))


def _pair(row: Row) -> Pair:
    return Pair(row.tutor_id, row.student_id)


def _pairs(group: Row) -> list[Pair]:
    """The pairs of a group, each once, in the order of its students."""
    return [Pair(group.tutor_id, student_id) for student_id in dict.fromkeys(group.students_id or ())]


def _rank(row: Row) -> tuple[int, int]:
    return _RANKS.get(booking_status(row.status) or "paused", 0), row.id


def _booking(pair: Pair, booking_id: int | None, row: Row, names: dict[int, str], pull: Pull) -> PlatformBooking:
    courses = getattr(row, "courses", None) or row.package_courses
    hours = row.session_duration
    return PlatformBooking(
        pair,
        booking_id,
        # A word that is unknown says that something is not as usual.
        status=booking_status(row.status) or "paused",
        subject=subject(names, courses) or row.package_name,
        package_name=row.package_name,
        session_type=session_format(row.session_format),
        session_duration=None if hours is None else round(hours * 60),
        price_per_session=getattr(row, "agreed_price", None),
        created_at=pull.written_at(getattr(row, "enrolled_at", None) or row.created_at),
    )


def _group_outcome(row: Row, known: set[Pair]) -> ImportOutcome:
    pairs = _pairs(row)
    left_out = [pair.student_id for pair in pairs if pair not in known]
    if not pairs:
        refusal = Refusal("no-students", "the group has no students", "Add its students on the platform.")
        return ImportOutcome(row.id, None, (refusal,))
    if len(left_out) == len(pairs):
        return ImportOutcome(row.id, None, (_nobodys(pairs[0]),))
    if left_out:
        reason = f"{_students(left_out)} left out: no such profile with a user"
        remedy = "Give each an account on the platform, or take them out of the group."
        refusal = Refusal("students-left-out", reason, remedy, is_refused=False, details={"students": left_out})
        return ImportOutcome(row.id, None, (refusal, *_unknown_words(row)))
    return ImportOutcome(row.id, None, _unknown_words(row))


def _students(ids: Sequence[int]) -> str:
    return f"student{'s' if len(ids) > 1 else ''} {', '.join(map(str, ids))}"


def _nobodys(pair: Pair) -> Refusal:
    reason = f"tutor {pair.tutor_id} or student {pair.student_id} is no profile with a user"
    details = {"tutor": pair.tutor_id, "student": pair.student_id}
    return Refusal("nobodys", reason, "Give the profile an account on the platform.", details=details)


def _unknown_words(row: Row) -> tuple[Refusal, ...]:
    refusals = []
    if booking_status(row.status) is None:
        reason = f"status {row.status!r} is unknown and taken as paused"
        refusals.append(Refusal("unknown-status", reason, "Set a status that the platform knows.", is_refused=False))
    if row.session_format and session_format(row.session_format) is None:
        reason = f"format {row.session_format!r} has no meaning here and is left out"
        refusals.append(Refusal("unknown-format", reason, "Set online, in-person or hybrid.", is_refused=False))
    return tuple(refusals)
