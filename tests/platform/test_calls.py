"""Which two sessions are the sides of one call."""

from datetime import datetime, timedelta

import pytest

from worker.platform.calls import CallMember, CallSession, leader, match_counterparts

_AT = datetime.fromisoformat("2026-10-20T16:02:11")
_TUTOR, _STUDENT, _OTHER = CallMember("tutor", 14), CallMember("student", 11), CallMember("student", 14)


def _session(number: int, host: CallMember, participant: CallMember, after: float = 0) -> CallSession:
    return CallSession(number, host, (participant,), _AT + timedelta(seconds=after))


@pytest.mark.parametrize(
    ("second", "are_counterparts"),
    [
        (_session(2, _TUTOR, _STUDENT, 0.114), True),
        (_session(2, _TUTOR, _STUDENT, -0.114), True),
        (_session(2, _TUTOR, _STUDENT, 5), True),
        (_session(2, _TUTOR, _STUDENT, 5.001), False),
        # The same people, not swapped: the page was opened twice.
        (_session(2, _STUDENT, _TUTOR, 0.1), False),
        # The number of the one is another's.
        (_session(2, _OTHER, _STUDENT, 0.1), False),
        (CallSession(2, None, (_STUDENT,), _AT), False),
        (CallSession(2, _TUTOR, (), _AT), False),
        (CallSession(2, _TUTOR, (_STUDENT,), None), False),
    ],
)
def test_counterparts(second: CallSession, are_counterparts: bool) -> None:
    first = _session(1, _STUDENT, _TUTOR)

    assert match_counterparts([first, second]) == ({1: 2, 2: 1} if are_counterparts else {})


def test_each_is_the_nearest_of_the_other() -> None:
    """Three sides within seconds: the two that lie closest are one call."""
    sessions = [_session(1, _STUDENT, _TUTOR), _session(2, _TUTOR, _STUDENT, 3), _session(3, _STUDENT, _TUTOR, 4)]

    assert match_counterparts(sessions) == {2: 3, 3: 2}


@pytest.mark.parametrize(
    ("sessions", "lead"),
    [
        ([_session(1, _STUDENT, _TUTOR), _session(2, _TUTOR, _STUDENT)], _TUTOR),
        ([_session(1, _STUDENT, _TUTOR)], _TUTOR),
        ([_session(1, _STUDENT, _OTHER)], _STUDENT),
        ([CallSession(1, CallMember("parent", 3), (), _AT)], None),
        ([CallSession(1, None, (), _AT)], None),
    ],
)
def test_the_tutor_leads_whoever_called(sessions: list[CallSession], lead: CallMember | None) -> None:
    assert leader(sessions) == lead
