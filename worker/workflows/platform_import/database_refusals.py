"""Explain in plain words why our database rejects a row of the platform; the constraint's name is a detail. Pure."""

from collections.abc import Mapping
from typing import Final

from psycopg import errors
from sqlalchemy.exc import DataError, IntegrityError

from worker.platform.refusals import Refusal

_MOVE = "Move or cancel one of the two."
_TUTOR = Refusal("tutor-busy", "tutor busy: another lesson was stored here at that time", _MOVE)
_STUDENT = Refusal("student-busy", "student busy: another lesson was stored here at that time", _MOVE)
# Collisions that the import checks for first; the database finds them when a lesson is stored in between.
_CONSTRAINTS: Final[Mapping[str, Refusal]] = {
    "ex_tutor_schedules_tutor_id": _TUTOR,
    "ex_tutor_schedules_student_id": _STUDENT,
    "ex_schedule_participants_student_id": _STUDENT,
}
_REASONS: Final[Mapping[type[Exception], str]] = {
    errors.ExclusionViolation: "it is at the same time as a row that is stored here",
    errors.UniqueViolation: "there is a row like it here",
    errors.ForeignKeyViolation: "it names a row that is not here",
    errors.NotNullViolation: "a value is missing that is needed here",
    errors.CheckViolation: "one of its values is not allowed here",
    errors.StringDataRightTruncation: "one of its texts is too long",
    errors.NumericValueOutOfRange: "one of its numbers is too large",
    errors.DatetimeFieldOverflow: "one of its dates is out of range",
}


def database_refusal(error: IntegrityError | DataError) -> Refusal:
    """The refusal of the only row of a savepoint."""
    diagnostic = getattr(error.orig, "diag", None)
    constraint = getattr(diagnostic, "constraint_name", None)
    details = {"constraint": constraint} if constraint else {}
    known = _CONSTRAINTS.get(constraint or "")
    if known is not None:
        return Refusal(known.code, known.reason, known.remedy, details=details)
    reason = next((words for kind, words in _REASONS.items() if isinstance(error.orig, kind)), None)
    column = getattr(diagnostic, "column_name", None)
    text = reason or "one of its values cannot be stored here"
    remedy = "Look at the row on the platform; it does not fit beside the others."
    return Refusal("refused-by-database", f"{text} ({column})" if column else text, remedy, details=details)
