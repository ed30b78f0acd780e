"""What becomes of a job after a failed attempt: a pure decision, tested as a table."""

from dataclasses import dataclass

LONGEST_WAIT = 3600.0


@dataclass(frozen=True)
class Verdict:
    """The state a job goes to, and for `retryable` the seconds until its next attempt."""

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
) -> Verdict:
    """Decide after attempt number `attempt` (from 1) ended in an error.

    An error that trying again cannot mend is `failed`; attempts used up is `dead`; otherwise the wait doubles from
    `base` seconds, at most an hour, times `jitter` in [0.5, 1.5) so that a herd spreads out. A `retry_after` that the
    other side asked for is a floor, not a replacement.
    """
    if not retryable:
        return Verdict("failed")
    if attempt >= max_attempts:
        return Verdict("dead")
    # 2**20 is past the ceiling for any base ≥ 4 ms; the bound keeps the power small.
    wait = min(LONGEST_WAIT, base * 2 ** min(attempt - 1, 20)) * jitter
    return Verdict("retryable", max(wait, retry_after or 0.0))


def after_lost_lease(*, state: str, attempt: int, max_attempts: int, cancel_requested: bool) -> Verdict:
    """Decide when the lease of a published or running job ran out.

    A cancel that was asked for wins. A published job has merely not been picked up (or its message is lost): it goes
    back to be published again, without an error. A running one lost its worker: that attempt is spent.
    """
    if cancel_requested:
        return Verdict("cancelled")
    if state == "published":
        return Verdict("queued")
    if attempt >= max_attempts:
        return Verdict("dead")
    return Verdict("retryable")


def publication_lease(publications: int, *, first: float, longest: float) -> float:
    """Seconds a job may wait in the broker before it is published again, for the nth publication (from 0).

    Doubling keeps a long backlog from being published over and over; claim refuses the doubles all the same.
    """
    return min(longest, first * 2.0 ** min(publications, 20))
