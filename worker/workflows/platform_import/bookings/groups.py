"""Groups become bookings for those pairs of their tutor and students that have none."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from worker.bookings.platform_bookings import (
    Pair,
    PlatformBooking,
    bookings_of_pairs,
    date_bookings,
    end_bookings,
    store_bookings,
)
from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.links import Link, linked_platform_ids
from worker.platform.refusals import Refusal
from worker.platform.source import Join, Source
from worker.workflows.platform_import.bookings.courses import course_names
from worker.workflows.platform_import.bookings.follow_imported import follow_imported
from worker.workflows.platform_import.bookings.group_bookings import (
    bookings_of_groups,
    forget_group_bookings,
    groups_of_bookings,
    note_group_bookings,
)
from worker.workflows.platform_import.bookings.pair_bookings import (
    ENROLMENT,
    PACKAGE_COLUMNS,
    known_pairs,
    pair_booking,
    pair_without_account,
)
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull
from worker.workflows.platform_import.unknown_words import unknown_booking_words


class Groups(Kind):
    """Students who are taught together. We store no groups: lessons name tutor and students themselves."""

    name = "group"
    # Version 2 corrects the times of stored rows.
    version = 2
    source = Source(
        "enrolled_courses",
        {
            "id": Column("enrolled_courses", "id", "integer", required=True),
            "tutor_id": Column("enrolled_courses", "tutor_id", "integer", required=True),
            "students_id": Column("enrolled_courses", "students_id", "integer[]", required=True),
            "courses": Column("enrolled_courses", "course_id", "integer[]"),
            "status": Column("enrolled_courses", "status", "varchar"),
            "created_at": Column("enrolled_courses", "created_at", "timestamp"),
            **PACKAGE_COLUMNS,
        },
        changed=(Column("enrolled_courses", "created_at", "timestamp"),),
        joins=(Join("tutor_packages", "tutor_packages.id = enrolled_courses.package_id"),),
    )
    reads_all = True

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        groups = [incoming.row for incoming in rows]
        known = known_pairs(session, {pair for row in groups for pair in _pairs(row)})
        there = bookings_of_pairs(session, known)
        names = course_names(pull, [row.courses or row.package_courses for row in groups])
        missing: dict[Pair, PlatformBooking] = {}
        for row in groups:
            for pair in _pairs(row):
                if pair in known and pair not in there and pair not in missing:
                    missing[pair] = pair_booking(pair, None, row, names, pull)
        booking_ids = store_bookings(session, list(missing.values()))
        note_group_bookings(session, {booking_ids[pair]: _group_of(pair, groups) for pair in missing})
        self._correct_times(session, groups, pull)
        return [_group_outcome(row, known) for row in groups]

    def _correct_times(self, session: Session, groups: Sequence[Row], pull: Pull) -> None:
        """Date the bookings that came from these groups; an enrolment that has been added dates its own."""
        created = {row.id: pull.written_at(row.created_at) for row in groups}
        given = groups_of_bookings(session, created)
        enrolled = linked_platform_ids(session, ENROLMENT, given)
        dated = {each: created[group] for each, group in given.items() if each not in enrolled}
        date_bookings(session, {each: moment for each, moment in dated.items() if moment is not None})

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """End the bookings that came from these groups alone. Their lessons are deleted with them."""
        gone = {link.platform_id for link in links}
        given = bookings_of_groups(session, gone)
        enrolled = linked_platform_ids(session, ENROLMENT, given)
        tutors = sorted({(pair.tutor_id,) for pair in given.values()})
        groups = pull.reader(self.source).rows_with(("tutor_id",), tutors) if tutors else []
        others = {pair: row.id for row in groups if row.id not in gone for pair in _pairs(row)}
        ended = [each for each, pair in given.items() if each not in enrolled and pair not in others]
        end_bookings(session, ended)
        follow_imported(session, ended, pull)
        forget_group_bookings(session, given)
        note_group_bookings(session, {each: others[pair] for each, pair in given.items() if pair in others})


def _group_of(pair: Pair, groups: Sequence[Row]) -> int:
    return int(next(row.id for row in groups if pair in _pairs(row)))


def _pairs(group: Row) -> list[Pair]:
    """The distinct pairs of a group, in the order of its students."""
    return [Pair(group.tutor_id, student_id) for student_id in dict.fromkeys(group.students_id or ())]


def _group_outcome(row: Row, known: set[Pair]) -> ImportOutcome:
    pairs = _pairs(row)
    left_out = [pair.student_id for pair in pairs if pair not in known]
    if not pairs:
        refusal = Refusal("no-students", "the group has no students", "Add its students on the platform.")
        return ImportOutcome(row.id, None, (refusal,))
    if len(left_out) == len(pairs):
        return ImportOutcome(row.id, None, (pair_without_account(pairs[0]),))
    if left_out:
        reason = f"{_students(left_out)} left out: no such profile with a user"
        remedy = "Give each an account on the platform, or take them out of the group."
        refusal = Refusal("students-left-out", reason, remedy, is_refused=False, details={"students": left_out})
        return ImportOutcome(row.id, None, (refusal, *unknown_booking_words(row.status, row.session_format)))
    return ImportOutcome(row.id, None, unknown_booking_words(row.status, row.session_format))


def _students(ids: Sequence[int]) -> str:
    return f"student{'s' if len(ids) > 1 else ''} {', '.join(map(str, ids))}"
