"""The rules of sending, as tables: quiet hours, retries, the breaker, lanes, what is checked, where it goes instead."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.states import CHANNEL_KINDS
from worker.calendars.zones import zone
from worker.reminders.delivery.circuit_breaker import CircuitBreaker
from worker.reminders.delivery.decide import DeliveryContext, decide
from worker.reminders.delivery.decisions import DeliveryDecision, Discard, Postpone, Reject, SendNow
from worker.reminders.delivery.fail import next_channel
from worker.reminders.delivery.partitions import BATCH, batch_size, batches, batches_at_once
from worker.reminders.delivery.retry import LONGEST_WAIT, after_failure, until_provider_works
from worker.reminders.planning.quiet_hours import quiet_until

NOW = datetime(2026, 6, 16, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)


def utc(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "place", "now", "until"),
    [
        # Addis Ababa is UTC+3.
        ("22:00", "07:00", "Africa/Addis_Ababa", "2026-06-16 18:59:59", None),
        ("22:00", "07:00", "Africa/Addis_Ababa", "2026-06-16 19:00", "2026-06-17 04:00"),
        ("22:00", "07:00", "Africa/Addis_Ababa", "2026-06-16 23:30", "2026-06-17 04:00"),
        ("22:00", "07:00", "Africa/Addis_Ababa", "2026-06-17 04:00", None),
        ("22:00", "07:00", "UTC", "2026-06-16 19:00", None),
        ("13:00", "14:30", "UTC", "2026-06-16 13:15", "2026-06-16 14:30"),
        ("13:00", "14:30", "UTC", "2026-06-16 14:30", None),
        ("13:00", "13:00", "UTC", "2026-06-16 13:00", None),
        # The clocks of New York skip 02:30: it becomes 03:30.
        ("22:00", "02:30", "America/New_York", "2026-03-08 05:00", "2026-03-08 07:30"),
        # They show 01:00 to 02:00 twice; the end at the first 01:30 is over in the second 01:15.
        ("22:00", "01:30", "America/New_York", "2026-11-01 05:15", "2026-11-01 05:30"),
        ("22:00", "01:30", "America/New_York", "2026-11-01 06:15", None),
    ],
)
def test_quiet_hours(start: str, end: str, place: str, now: str, until: str | None) -> None:
    quiet_end = quiet_until(time.fromisoformat(start), time.fromisoformat(end), zone(place), utc(now))
    assert quiet_end == (utc(until) if until else None)


def test_no_quiet_hours() -> None:
    assert quiet_until(None, None, zone("UTC"), NOW) is None


@given(st.times(), st.times(), st.integers(1_580_000_000, 1_890_000_000))
def test_quiet_hours_end_within_a_day(start: time, end: time, epoch: int) -> None:
    now = datetime.fromtimestamp(epoch, UTC)
    until = quiet_until(start, end, zone("Europe/Berlin"), now)
    assert until is None or now < until <= now + timedelta(hours=25)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 5), (2, 60), (3, 300), (4, 1800)])
def test_retries_wait_longer_each_time_with_jitter(attempts: int, seconds: float) -> None:
    def pause(chance: float) -> float:
        decision = after_failure(attempts, None, None, "away", now=NOW, chance=chance)
        assert isinstance(decision, Postpone)
        return (decision.until - NOW).total_seconds()

    assert [pause(0.0), pause(0.5), pause(1.0)] == pytest.approx([0.8 * seconds, seconds, 1.2 * seconds])


def test_a_provider_of_ours_is_waited_for_without_end() -> None:
    def verdict(age: timedelta, expires_at: datetime | None = None, pause: float = 60.0) -> DeliveryDecision:
        return until_provider_works(NOW - age, expires_at, pause, "limit", now=NOW, chance=0.0)

    minute = timedelta(minutes=1)
    assert verdict(timedelta(0)) == verdict(LONGEST_WAIT - minute) == Postpone(NOW + minute, "limit")
    # A message that never expires: for three days, and then it goes by another way.
    assert verdict(LONGEST_WAIT) == Reject("limit")
    # A reminder, however old, until its lesson; then it is found in the app.
    assert verdict(2 * LONGEST_WAIT, NOW + 2 * minute) == Postpone(NOW + minute, "limit")
    assert verdict(timedelta(0), NOW + minute) == Discard("dropped", "too-late", instead_in_app=True)
    assert verdict(timedelta(0), NOW + 4 * minute, 300.0) == Discard("dropped", "too-late", instead_in_app=True)


def test_a_fifth_failure_is_the_last() -> None:
    assert after_failure(5, None, None, "away", now=NOW, chance=0.5) == Reject("away")


def test_no_retry_after_the_lesson_began() -> None:
    soon = NOW + timedelta(seconds=50)
    assert after_failure(1, soon, None, "away", now=NOW, chance=0.5) == Postpone(NOW + timedelta(seconds=5), "away")
    assert after_failure(2, soon, None, "away", now=NOW, chance=0.5) == Discard("dropped", "too-late")


@pytest.mark.parametrize(("retry_after", "seconds"), [(2.0, 5), (120.0, 120), (1e9, 3600)])
def test_retry_after_is_respected_within_limits(retry_after: float, seconds: float) -> None:
    decision = after_failure(1, None, retry_after, "busy", now=NOW, chance=0.5)
    assert decision == Postpone(NOW + timedelta(seconds=seconds), "busy")


def test_a_breaker_opens_after_failures_in_a_row_and_closes_with_an_answer() -> None:
    breaker = CircuitBreaker()
    for _n in range(4):
        breaker.record_failure("a", 100.0)
    assert breaker.seconds_open("a", 100.0) == 0
    breaker.record_success("a")
    for _n in range(5):
        breaker.record_failure("a", 100.0)
    assert (breaker.seconds_open("a", 100.0), breaker.seconds_open("b", 100.0)) == (30.0, 0.0)
    assert breaker.seconds_open("a", 130.0) == 0  # one may try
    breaker.record_failure("a", 130.0)
    assert breaker.seconds_open("a", 130.0) == 60.0
    for _n in range(20):
        breaker.record_failure("a", 200.0)
    assert breaker.seconds_open("a", 200.0) == 300.0
    breaker.record_success("a")
    assert breaker.seconds_open("a", 200.0) == 0


def test_a_breaker_opens_sooner_when_each_failure_was_waited_for() -> None:
    breaker = CircuitBreaker()
    breaker.record_failure("a", 100.0, took=15.0)
    assert breaker.seconds_open("a", 100.0) == 0
    breaker.record_failure("a", 115.0, took=15.0)
    assert breaker.seconds_open("a", 115.0) == 60.0
    # What was slow and worked is no failure.
    breaker.record_failure("b", 100.0, took=15.0)
    breaker.record_success("b")
    breaker.record_failure("b", 100.0, took=15.0)
    assert breaker.seconds_open("b", 100.0) == 0


def test_a_breaker_forgets_the_oldest_of_too_many() -> None:
    breaker = CircuitBreaker()
    for number in range(2000):
        for _n in range(5):
            breaker.record_failure(f"host {number}", 0.0)
    assert breaker.seconds_open("host 0", 0.0) == 0
    assert breaker.seconds_open("host 1999", 0.0) == 30.0
    assert len(breaker._failing) == 1000


def test_every_kind_of_channel_has_a_batch() -> None:
    assert sorted(BATCH) == sorted(["in_app", *CHANNEL_KINDS])


def test_what_was_lost_goes_alone() -> None:
    assert [batch_size(lane, lost=True) for lane in BATCH] == [1, 1, 1, 1]
    assert batch_size("email", lost=False) == 100
    assert batches([1, 2, 3], 2) == [[1, 2], [3]]


@pytest.mark.parametrize(("children", "at_once"), [(1, 1), (2, 1), (4, 2), (9, 4)])
def test_half_of_the_children_stay_free_of_a_lane(children: int, at_once: int) -> None:
    assert batches_at_once(children) == at_once


def stand(**changes: object) -> DeliveryContext:
    values: dict[str, object] = {
        "kind": "lesson-reminder",
        "attempts": 1,
        "expires_at": LATER,
        "starts_at": LATER,
        "person_active": True,
        "invited": True,
        "lesson_status": "scheduled",
        "lesson_starts_at": LATER,
        "channel_kind": "email",
        "confirmed": True,
        "disabled": False,
        "superseded": False,
        "quiet_start": None,
        "quiet_end": None,
        "zone": zone("UTC"),
    }
    return DeliveryContext(**(values | changes))  # type: ignore[arg-type]


NIGHT = {"quiet_start": time(11), "quiet_end": time(12, 5)}
MORNING = NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        ({}, SendNow()),
        ({"person_active": False}, Discard("dropped", "person-inactive")),
        ({"lesson_status": "cancelled"}, Discard("cancelled", "lesson-cancelled")),
        ({"lesson_starts_at": LATER + timedelta(hours=1)}, Discard("cancelled", "lesson-moved")),
        ({"lesson_starts_at": None, "lesson_status": None}, Discard("cancelled", "lesson-moved")),
        ({"lesson_status": "completed"}, Discard("dropped", "too-late")),
        ({"lesson_status": "in_progress"}, SendNow()),
        ({"invited": False}, Discard("cancelled", "not-of-the-lesson")),
        ({"superseded": True}, Discard("dropped", "superseded")),
        ({"expires_at": NOW}, Discard("dropped", "too-late")),
        ({"expires_at": None}, SendNow()),
        ({"attempts": 6}, SendNow()),
        ({"attempts": 7}, Reject("worker-lost")),
        ({"channel_kind": None}, Discard("dropped", "channel-removed")),
        ({"disabled": True}, Reject("channel-disabled")),
        ({"confirmed": False}, Reject("channel-unconfirmed")),
        (NIGHT, Postpone(MORNING, "quiet-hours")),
        (NIGHT | {"expires_at": MORNING}, Discard("dropped", "quiet-hours", instead_in_app=True)),
        ({"same_mailbox": True}, Discard("dropped", "same-mailbox")),
        ({"has_address": False}, Discard("dropped", "no-address", instead_in_app=True)),
        (NIGHT | {"channel_kind": "in_app"}, SendNow()),
        (NIGHT | {"kind": "test"}, SendNow()),
        # Other messages do not mind what has become of the lesson.
        ({"kind": "lesson-cancelled", "lesson_status": "cancelled", "invited": False}, SendNow()),
        ({"kind": "channel-code", "confirmed": False}, SendNow()),
        (
            {"kind": "recording-ready", "lesson_status": None, "invited": False} | NIGHT,
            Postpone(MORNING, "quiet-hours"),
        ),
    ],
)
def test_everything_is_checked_again(changes: dict[str, object], decision: DeliveryDecision) -> None:
    assert decide(stand(**changes), NOW) == decision


@pytest.mark.parametrize(
    ("fallback", "alike", "channel"),
    [
        ([], {"email": "failed"}, "in_app"),
        ([], {"email": "failed", "in_app": "sent"}, None),
        (["7", "9"], {"email": "failed"}, "9"),  # 7 cannot be used
        (["9"], {"email": "failed", "9": "failed"}, "in_app"),
        (["9"], {"email": "failed", "9": "pending"}, None),
        (["9"], {"email": "failed", "in_app": "sent"}, "9"),
    ],
)
def test_the_next_channel(fallback: list[str], alike: dict[str, str], channel: str | None) -> None:
    assert next_channel(fallback, frozenset({"email", "in_app", "9"}), alike) == channel
