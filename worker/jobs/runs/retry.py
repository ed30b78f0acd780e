"""Decide what happens to a job after a failed attempt. Pure, tested as a table."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LONGEST_WAIT = 3600.0
# The parts in which two equal failures differ: addresses, sizes, times.
_NUMBERS = re.compile(r"0x[0-9a-f]+|\d+")


@dataclass(frozen=True)
class Decision:
    """The next state of a job, and for `retryable` the seconds until its next attempt."""

    state: str
    delay: float = 0.0


def after_failure(
    *,
    attempt: int,
    max_attempts: int,
    retryable: bool,
    base: float,
    jitter: float,
    retry_after: float | None = None,
    equal_before: int = 0,
    most_equal: int | None = None,
) -> Decision:
    """Decide after attempt number `attempt` (from 1) ended in an error.

    An error that another attempt cannot change is `failed`, and so is one that came `most_equal` times in a row
    (`equal_before`: consecutive equal ones before this attempt); no attempts left is `dead`; otherwise the wait doubles
    from `base` seconds, at most an hour, times `jitter` in [0.5, 1.5) so that retries spread out. A `retry_after` that
    the other side asked for is a minimum, not a replacement.
    """
    if not retryable:
        return Decision("failed")
    if attempt >= max_attempts:
        return Decision("dead")
    if most_equal is not None and equal_before + 1 >= most_equal:
        return Decision("failed")
    # 2**20 exceeds the maximum wait for any base ≥ 4 ms; the bound avoids huge powers.
    wait = min(LONGEST_WAIT, base * 2 ** min(attempt - 1, 20)) * jitter
    return Decision("retryable", max(wait, retry_after or 0.0))


def equal_failures(error: Mapping[str, Any], before: Sequence[Mapping[str, Any] | None]) -> int:
    """How many of the previous failures, latest first, equal `error` before one differs."""
    count = 0
    for earlier in before:
        if earlier is None or _comparable(earlier) != _comparable(error):
            break
        count += 1
    return count


def final_error(error: Mapping[str, Any], times: int) -> dict[str, Any]:
    """The problem document of a failure that occurred `times` times in a row and is not retried."""
    return {**error, "detail": f"{error['detail']} It failed {times} times in the same way and is not tried again."}


def _comparable(error: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_NUMBERS.sub("#", str(error.get(name))) for name in ("code", "detail", "program_error"))


def after_lost_lease(
    *, state: str, attempt: int, max_attempts: int, cancel_requested: bool, lost_before: int = 0, most_lost: int
) -> Decision:
    """Decide when the lease of a published or running job expired.

    A requested cancellation takes precedence. A published job was merely not picked up, or its message was lost: it is
    queued to be published again, without an error. A running one lost its worker: that attempt is used up, and a job
    that has cost `most_lost` workers in a row (`lost_before`: those before this one) is given up.
    """
    if cancel_requested:
        return Decision("cancelled")
    if state == "published":
        return Decision("queued")
    if attempt >= max_attempts or lost_before + 1 >= most_lost:
        return Decision("dead")
    return Decision("retryable")
