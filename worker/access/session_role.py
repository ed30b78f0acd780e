"""A person's role in a whiteboard session: a pure rule over the session and its booking."""

from dataclasses import dataclass
from typing import Protocol

from worker.access.callers import Caller, Operator


@dataclass(frozen=True)
class SessionRole:
    """The profile a person acts as. `full`: the tutor of the booking or the host, who may do everything."""

    profile_id: int
    profile_type: str
    full: bool


class SessionRow(Protocol):
    """The columns of a whiteboard session that the rule needs."""

    booking_id: int | None
    host_profile_id: int | None
    host_profile_type: str | None
    participant_profile_ids: list[int]
    participant_profile_types: list[str]


def session_role(
    caller: Caller, whiteboard: SessionRow, *, tutor_id: int | None, student_id: int | None
) -> SessionRole | None:
    """The caller's role in `whiteboard`, whose booking is between `tutor_id` and `student_id`.

    None for those who may only look: operators, and parents of the booking's student.
    """
    if isinstance(caller, Operator):
        return None
    mine = {"tutor": caller.tutor_id, "student": caller.student_id, "parent": caller.parent_id}
    if tutor_id is not None and tutor_id == caller.tutor_id:
        return SessionRole(tutor_id, "tutor", full=True)
    host = whiteboard.host_profile_type
    if host is not None and whiteboard.host_profile_id is not None and mine[host] == whiteboard.host_profile_id:
        return SessionRole(whiteboard.host_profile_id, host, full=True)
    if student_id is not None and student_id == caller.student_id:
        return SessionRole(student_id, "student", full=False)
    if whiteboard.booking_id is None:
        for profile_id, profile_type in zip(
            whiteboard.participant_profile_ids, whiteboard.participant_profile_types, strict=True
        ):
            if mine[profile_type] == profile_id:
                return SessionRole(profile_id, profile_type, full=False)
    return None
