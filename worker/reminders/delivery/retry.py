"""Decide when a failed delivery is retried, and when it is given up."""

from datetime import datetime, timedelta

from worker.reminders.delivery.decisions import Discard, Postpone, Reject

# Seconds before the second, third, … attempt.
RETRY_AFTER = (5, 60, 300, 1800)
# A fifth earlier to a fifth later, so that deliveries that failed together are not retried together.
_JITTER = 0.2
# No provider may postpone a message for longer than this.
_LONGEST = timedelta(hours=1)
# Seconds until a message is retried after a provider of ours refused it.
OUR_FAULT_PAUSE = 60.0
# For how long a message that never expires waits for a provider of ours: longer than any daily limit.
LONGEST_WAIT = timedelta(days=3)


def after_failure(
    attempts: int, expires_at: datetime | None, retry_after: float | None, reason: str, *, now: datetime, chance: float
) -> Postpone | Discard | Reject:
    """Decide after attempt number `attempts`; `chance` is a random number from 0 to 1.

    `retry_after` (seconds) is the provider's minimum. A message that would be obsolete at its next attempt is dropped.
    """
    if attempts > len(RETRY_AFTER):
        return Reject(reason)
    pause = timedelta(seconds=RETRY_AFTER[max(attempts, 1) - 1] * (1 - _JITTER + 2 * _JITTER * chance))
    if retry_after is not None:
        pause = max(pause, min(timedelta(seconds=retry_after), _LONGEST))
    if expires_at is not None and now + pause >= expires_at:
        return Discard("dropped", "too-late")
    return Postpone(now + pause, reason)


def until_provider_works(
    created_at: datetime, expires_at: datetime | None, pause: float, reason: str, *, now: datetime, chance: float
) -> Postpone | Discard | Reject:
    """Decide when only the provider prevents a message: it waits `pause` seconds or more, any number of times.

    A message that would then be too late goes to the app.
    """
    if expires_at is None and now - created_at >= LONGEST_WAIT:
        return Reject(reason)
    until = now + timedelta(seconds=pause * (1 + _JITTER * chance))
    if expires_at is not None and until >= expires_at:
        return Discard("dropped", "too-late", instead_in_app=True)
    return Postpone(until, reason)
