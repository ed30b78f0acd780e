"""The retry policy as a table."""

import pytest

from worker.jobs.runs.retry import Decision, after_failure, after_lost_lease


@pytest.mark.parametrize(
    ("attempt", "retryable", "retry_after", "expected"),
    [
        (1, True, None, Decision("retryable", 5.0)),
        (2, True, None, Decision("retryable", 10.0)),
        (4, True, None, Decision("retryable", 40.0)),
        (2, True, 90.0, Decision("retryable", 90.0)),
        (2, True, 3.0, Decision("retryable", 10.0)),
        (5, True, None, Decision("dead")),
        (9, True, None, Decision("dead")),
        (1, False, None, Decision("failed")),
        (5, False, 10.0, Decision("failed")),
    ],
)
def test_failure(attempt: int, retryable: bool, retry_after: float | None, expected: Decision) -> None:
    decision = after_failure(
        attempt=attempt, max_attempts=5, retryable=retryable, base=5.0, jitter=1.0, retry_after=retry_after
    )
    assert decision == expected


def test_wait_has_a_ceiling_and_jitter_spreads_it() -> None:
    waits = [
        after_failure(attempt=900, max_attempts=1000, retryable=True, base=5.0, jitter=jitter).delay
        for jitter in (0.5, 1.49)
    ]
    assert waits == [1800.0, pytest.approx(5364.0)]


@pytest.mark.parametrize(
    ("state", "attempt", "cancel_requested", "expected"),
    [
        ("published", 0, False, "queued"),
        ("published", 3, False, "queued"),
        ("running", 1, False, "retryable"),
        ("running", 3, False, "dead"),
        ("running", 1, True, "cancelled"),
        ("running", 3, True, "cancelled"),
    ],
)
def test_lost_lease(state: str, attempt: int, cancel_requested: bool, expected: str) -> None:
    decision = after_lost_lease(
        state=state, attempt=attempt, max_attempts=3, cancel_requested=cancel_requested, most_lost=9
    )
    assert decision == Decision(expected)
