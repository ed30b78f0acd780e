"""Sending a batch: what the person receives, what the row says, and what happens on failure."""

import re
import threading
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import icalendar
import pytest

from models.schedules import Schedule
from tests.conftest import School
from tests.reminders.sending.conftest import DeliveryFixture, MailSink
from tests.statements import waits_for_a_lock
from tests.waiting import TIMEOUT, wait_for
from worker import clock
from worker.channels.destinations import Mailbox, Webhook, to_text
from worker.channels.egress import EgressPolicy
from worker.channels.registration import checked_destination
from worker.channels.sealed_addresses import AddressSealer
from worker.reminders.channel_codes import confirm
from worker.reminders.channels import find_channel, register_channel
from worker.reminders.delivery.claim import claim
from worker.reminders.delivery.claimed import read_claimed
from worker.reminders.delivery.fail import fail
from worker.reminders.delivery.in_app import put_in_app
from worker.reminders.delivery.transport import RenderedMessage
from worker.reminders.planning.lessons import Scope
from worker.reminders.planning.plan import plan_reminders
from worker.reminders.planning.preferences import Preferences
from worker.workflows.lessons.notify_changes import notices_of_changes
from worker.workflows.lessons.set_alarms import set_preferences


def seal(deliveries: DeliveryFixture, destination: Any) -> bytes:
    return AddressSealer.of(deliveries.settings).seal(to_text(destination))


def test_a_reminder_by_mail_and_in_the_app(deliveries: DeliveryFixture, mail: MailSink) -> None:
    lesson = deliveries.lesson()
    ids = [deliveries.reminder(lesson, channel=channel) for channel in ("email", "in_app")]
    deliveries.send_all()
    for delivery in ids:
        row = deliveries.delivery(delivery)
        assert (row.state, row.reason, row.attempts, row.send_token, row.lease_until) == ("sent", None, 1, None, None)
        assert abs((datetime.now(UTC) - row.sent_at).total_seconds()) < 10
    ((message_id, to),) = mail.received
    assert to == "2@example.org"
    assert message_id.endswith("@astegni.example>")
    note = deliveries.one("SELECT * FROM notifications")
    assert (note.user_id, note.kind, note.delivery_id, note.read_at) == (2, "lesson-reminder", ids[1], None)
    assert note.data == {"schedule_id": lesson[0]}
    assert "Mathematics" in note.title + note.message


def entry_reminders(deliveries: DeliveryFixture, **columns: Any) -> tuple[int, list[int]]:
    """An entry of the student's that begins in a quarter of an hour, and its reminders by mail and in the app."""
    starts_at = (datetime.now(UTC) + timedelta(minutes=15)).replace(microsecond=0)
    entry: int = deliveries.one(
        "INSERT INTO timetable_entries (user_id, title, year, start_time, end_time, timezone, alarm_enabled)"
        " VALUES (2, 'Own study', 2026, '23:30', '01:00', 'Africa/Addis_Ababa', true) RETURNING id"
    ).id
    values: dict[str, Any] = {"entry_id": entry, "minutes_before": 15, "data": {}}
    values |= {"starts_at": starts_at, "expires_at": starts_at}
    reminders = [
        deliveries.message("entry-reminder", channel=channel, **(values | columns)) for channel in ("email", "in_app")
    ]
    return entry, reminders


def test_a_reminder_of_an_entry_by_mail_and_in_the_app(deliveries: DeliveryFixture, mail: MailSink) -> None:
    entry, ids = entry_reminders(deliveries)
    deliveries.send_all()
    assert [deliveries.delivery(delivery).state for delivery in ids] == ["sent", "sent"]
    assert [to for _, to in mail.received] == ["2@example.org"]
    note = deliveries.one("SELECT * FROM notifications")
    assert (note.kind, note.data, note.title) == (
        "entry-reminder",
        {"entry_id": entry},
        "Own study starts in 15 minutes",
    )
    body = mail.messages[0].get_body(("plain",))
    assert body is not None
    assert "Length: 1 hour 30 minutes" in body.get_content()


@pytest.mark.parametrize("change", ["alarm_enabled = false", "status = 'draft'"])
def test_an_entry_that_rings_no_more_when_it_is_due(deliveries: DeliveryFixture, mail: MailSink, change: str) -> None:
    _, ids = entry_reminders(deliveries)
    deliveries.do(f"UPDATE timetable_entries SET {change}")  # noqa: S608 - words of this file
    deliveries.send_all()
    outcomes = {(row.state, row.reason) for row in map(deliveries.delivery, ids)}
    assert outcomes == {("cancelled", "entry-changed")}
    assert mail.received == []


def test_the_message_has_the_same_id_at_every_attempt(deliveries: DeliveryFixture, mail: MailSink) -> None:
    delivery = deliveries.message(channel="email")
    deliveries.send_all()
    deliveries.do("UPDATE deliveries SET state = 'pending', sent_at = NULL")
    deliveries.send_all(deliveries.new_sender())
    other = deliveries.message(channel="email", user_id=1)
    deliveries.send_all()
    first, second, third = (message_id for message_id, _to in mail.received)
    assert first == second != third
    assert deliveries.delivery(delivery).state == deliveries.delivery(other).state == "sent"


def test_in_the_app_it_comes_once_even_when_it_is_marked_twice(deliveries: DeliveryFixture) -> None:
    delivery = deliveries.message()
    deliveries.send_all()
    deliveries.do("UPDATE deliveries SET state = 'pending', sent_at = NULL")
    deliveries.send_all()
    assert deliveries.delivery(delivery).state == "sent"
    assert deliveries.one("SELECT count(*) AS n FROM notifications").n == 1


def test_no_message_of_a_person_is_visible_before_one_with_a_lower_id(deliveries: DeliveryFixture) -> None:
    """A reader who has the higher id would never ask for the lower one."""
    first = deliveries.message()
    token, run, lease = uuid4(), uuid4(), deliveries.settings.delivery_lease
    with deliveries.database.statement() as statement:
        claimed = claim(statement, "in_app", lost=False, token=token, most=1, lease=lease)
    with deliveries.database.statement() as statement:
        (delivery,) = read_claimed(statement, claimed, token, run=run, lease=lease)
    second = deliveries.message()
    other = threading.Thread(target=deliveries.send_all)
    with deliveries.database.transaction() as session:
        message = RenderedMessage("a title", "a message", "", "", None, {})
        assert put_in_app(session, {first: (delivery, message)}, run) == 1
        other.start()
        wait_for(lambda: waits_for_a_lock(deliveries.database) or not other.is_alive())
        assert deliveries.all("SELECT id FROM notifications") == []
    other.join(TIMEOUT)
    rows = deliveries.all("SELECT delivery_id FROM notifications ORDER BY id")
    assert [row.delivery_id for row in rows] == [first, second]


def test_a_moved_or_cancelled_lesson_reminds_nobody(deliveries: DeliveryFixture) -> None:
    moved, off = deliveries.lesson(), deliveries.lesson(timedelta(hours=3))
    ids = [deliveries.reminder(moved), deliveries.reminder(off)]
    deliveries.do("UPDATE tutor_schedules SET starts_at = starts_at + interval '5 min' WHERE id = :id", id=moved[0])
    deliveries.do("UPDATE tutor_schedules SET status = 'cancelled' WHERE id = :id", id=off[0])
    deliveries.send_all()
    assert [deliveries.outcome(delivery_id) for delivery_id in ids] == [
        ("cancelled", "lesson-moved"),
        ("cancelled", "lesson-cancelled"),
    ]
    assert deliveries.all("SELECT * FROM notifications") == []


def announced(
    deliveries: DeliveryFixture,
    lesson: tuple[int, datetime],
    kind: str,
    seconds: int,
    *more: int,
    moved_by: timedelta = timedelta(hours=1),
) -> int:
    """An announcement to the student by mail, due so many seconds ago; `more`: further lessons of its group."""
    at = lesson[1].isoformat()
    ids = [lesson[0], *more]
    return deliveries.message(
        kind,
        channel="email",
        schedule_id=lesson[0],
        due_at=datetime.now(UTC) - timedelta(seconds=seconds),
        data={
            "count": len(ids),
            "schedule_ids": ids,
            "view": "student",
            "students": [""],
            "before_starts_at": (lesson[1] - moved_by).isoformat(),
            "starts_at": at,
        }
        | {"tutor": "Abebe", "timezone": "UTC", "subject": "Mathematics"},
    )


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("lesson-moved", "lesson-cancelled"),
        ("lesson-restored", "lesson-cancelled"),
        ("lesson-booked", "lesson-cancelled"),
        ("lesson-cancelled", "lesson-restored"),
        ("lesson-cancelled", "lesson-booked"),
    ],
)
def test_an_announcement_that_has_waited_does_not_contradict_a_later_one(
    deliveries: DeliveryFixture, mail: MailSink, first: str, then: str
) -> None:
    """After an outage of the mail server they are due in any order."""
    lesson = deliveries.lesson(timedelta(days=1))
    stale = announced(deliveries, lesson, first, 1)
    valid = announced(deliveries, lesson, then, 5)
    deliveries.send_all()
    assert deliveries.outcome(valid) == ("sent", None)
    assert deliveries.outcome(stale) == ("dropped", "superseded")
    assert len(mail.received) == 1


@pytest.mark.parametrize(
    ("first", "then"), [("lesson-moved", "lesson-cancelled"), ("lesson-cancelled", "lesson-restored")]
)
def test_a_fallback_does_not_contradict_what_was_announced_before_its_channel_failed(
    deliveries: DeliveryFixture, mail: MailSink, first: str, then: str
) -> None:
    """The fallback is the last delivery to be planned, and goes by another channel."""
    lesson = deliveries.lesson(timedelta(days=1))
    stale = announced(deliveries, lesson, first, 5)
    token, run, lease = uuid4(), uuid4(), deliveries.settings.delivery_lease
    with deliveries.database.statement() as statement:
        claimed = claim(statement, "email", lost=False, token=token, most=1, lease=lease)
    with deliveries.database.statement() as statement:
        (delivery,) = read_claimed(statement, claimed, token, run=run, lease=lease)
    valid = announced(deliveries, lesson, then, 1)
    with deliveries.database.transaction() as session:
        assert fail(session, delivery, run, "no such user", channel_is_bad=False)
    fallback = deliveries.one("SELECT id FROM deliveries WHERE channel = 'in_app'").id
    assert stale < valid < fallback
    deliveries.send_all()
    assert deliveries.outcome(valid) == ("sent", None)
    assert deliveries.outcome(fallback) == ("dropped", "superseded")
    assert len(mail.received) == 1


def test_a_group_contradicts_what_was_said_of_any_of_its_lessons(deliveries: DeliveryFixture, mail: MailSink) -> None:
    first, second, third = (deliveries.lesson(timedelta(days=day)) for day in (1, 2, 3))
    stale = announced(deliveries, second, "lesson-moved", 1, third[0])
    valid = announced(deliveries, first, "lesson-cancelled", 5, second[0], third[0])
    deliveries.send_all()
    assert deliveries.outcome(valid) == ("sent", None)
    assert deliveries.outcome(stale) == ("dropped", "superseded")
    assert len(mail.received) == 1


def test_a_lesson_that_was_moved_back_has_not_moved(deliveries: DeliveryFixture, mail: MailSink) -> None:
    """Who reads the first announcement only now would read of a move to the same time."""
    lesson = deliveries.lesson(timedelta(days=1))
    there = announced(deliveries, lesson, "lesson-moved", 5, moved_by=timedelta(0))
    back = announced(deliveries, lesson, "lesson-moved", 1)
    deliveries.send_all()
    assert deliveries.outcome(there) == ("dropped", "superseded")
    assert deliveries.outcome(back) == ("sent", None)
    assert len(mail.received) == 1


@pytest.mark.parametrize("then", ["lesson-moved", "lesson-cancelled"])
@pytest.mark.parametrize("of_first", [True, False])
def test_announcements_that_do_not_contradict_each_other_are_all_sent(
    deliveries: DeliveryFixture, mail: MailSink, then: str, *, of_first: bool
) -> None:
    """Of two moved lessons one is cancelled: the other is still moved."""
    first, second = (deliveries.lesson(timedelta(days=day)) for day in (1, 2))
    announced(deliveries, first, "lesson-moved", 1, second[0])
    announced(deliveries, first if of_first else second, then, 1)
    deliveries.send_all()
    assert len(mail.received) == 2


def test_the_mail_of_a_cancelled_lesson_cancels_it_in_calendars(deliveries: DeliveryFixture, mail: MailSink) -> None:
    lesson, starts_at = deliveries.lesson(timedelta(days=1), sequence=3)
    scope = Scope(schedule_ids=[lesson])
    with deliveries.database.transaction() as session, notices_of_changes(session, scope, by=None, now=clock.now()):
        row = session.get_one(Schedule, lesson)
        row.status, row.sequence = "cancelled", 4
    deliveries.send_all()
    parts = [
        part
        for sent in mail.messages
        for part in sent.iter_attachments()
        if "2@example.org" in sent["To"] and part.get_content_type() == "text/calendar"
    ]
    (part,) = parts
    assert part["Content-Type"].params["method"] == "CANCEL"
    calendar = icalendar.Calendar.from_ical(part.get_content())
    event: Any
    (event,) = calendar.walk("VEVENT")
    assert (calendar["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 4)
    assert (event["UID"], event["DTSTART"].dt) == (f"lesson-{lesson}@astegni", starts_at)


def test_who_is_inactive_or_not_of_the_lesson_is_not_reminded(deliveries: DeliveryFixture) -> None:
    lesson = deliveries.lesson()
    outsider, inactive = deliveries.reminder(lesson, user_id=4), deliveries.reminder(lesson, user_id=3)
    deliveries.do("UPDATE users SET is_active = false WHERE id = 3")
    deliveries.send_all()
    assert deliveries.outcome(outsider) == ("cancelled", "not-of-the-lesson")
    assert deliveries.outcome(inactive) == ("dropped", "person-inactive")


def test_who_has_no_name_and_no_e_mail_gets_it_in_the_app(deliveries: DeliveryFixture) -> None:
    """People sign up with a phone alone: nothing is mailed or tried again, and nothing fails."""
    deliveries.do("UPDATE users SET first_name = NULL, father_name = NULL, last_name = NULL, email = NULL WHERE id = 2")
    mailed = deliveries.reminder(deliveries.lesson(), channel="email", user_id=2)
    deliveries.send_all()
    assert deliveries.outcome(mailed) == ("dropped", "no-address")
    deliveries.send_all()
    assert deliveries.one("SELECT count(*) AS n FROM notifications WHERE user_id = 2").n == 1


def test_after_downtime_only_the_latest_reminder_comes(deliveries: DeliveryFixture) -> None:
    """The system was down for two days; the lesson begins in ten minutes."""
    lesson = deliveries.lesson()
    day, hour, quarter = (deliveries.reminder(lesson, minutes) for minutes in (1440, 60, 15))
    not_yet = deliveries.reminder(lesson, 5, due_at=lesson[1] - timedelta(minutes=5))
    over = deliveries.lesson(timedelta(hours=-3))
    late = deliveries.reminder(over)
    deliveries.send_all()
    assert deliveries.outcome(quarter) == ("sent", None)
    assert deliveries.outcome(day) == deliveries.outcome(hour) == ("dropped", "superseded")
    assert deliveries.outcome(late) == ("dropped", "too-late")
    assert deliveries.outcome(not_yet) == ("pending", None)
    assert deliveries.one("SELECT count(*) AS n FROM notifications").n == 1


def test_quiet_hours_of_the_person_and_their_zone(deliveries: DeliveryFixture, mail: MailSink) -> None:
    """Over midnight, by the clocks of Kiritimati (UTC+14): now lies in the middle."""
    local = datetime.now(UTC) + timedelta(hours=14)
    start, end = ((local + timedelta(hours=hours)).time().replace(microsecond=0) for hours in (-11, 2))
    deliveries.prefer(quiet_start=start, quiet_end=end, timezone="Pacific/Kiritimati")
    waits, shown = deliveries.message(channel="email"), deliveries.message()
    useless = deliveries.message(channel="email", expires_at=datetime.now(UTC) + timedelta(hours=1))
    deliveries.send_all()
    row = deliveries.delivery(waits)
    assert (row.state, row.reason, row.attempts) == ("pending", "quiet-hours", 0)
    assert row.due_at + timedelta(hours=14) == (local + timedelta(hours=2)).replace(microsecond=0)
    assert deliveries.outcome(useless) == ("dropped", "quiet-hours")
    assert deliveries.outcome(shown) == ("sent", None)
    assert mail.received == []


def night(hours: int) -> dict[str, Any]:
    """Quiet hours by UTC, from an hour ago on, for so many more; none for 0."""
    now = datetime.now(UTC).replace(microsecond=0)
    if not hours:
        return {"quiet_start": None, "quiet_end": None}
    return {"quiet_start": (now - timedelta(hours=1)).time(), "quiet_end": (now + timedelta(hours=hours)).time()}


@pytest.mark.parametrize("hours", [0, 2])
def test_what_waits_for_the_end_of_quiet_hours_waits_by_the_new_ones(
    deliveries: DeliveryFixture, mail: MailSink, school: School, hours: int
) -> None:
    """Only for messages and reminders of the person who changes them."""
    lesson = deliveries.lesson(timedelta(hours=12))
    at = lesson[1] - timedelta(minutes=60)
    for user in (2, 3):
        deliveries.prefer(user, timezone="UTC", channels=["email"], alarms=[800], **night(9))
    mine = [deliveries.message(channel="email"), deliveries.reminder(lesson, 800, channel="email")]
    theirs = deliveries.message(user_id=3, channel="email")
    deliveries.send_all()
    assert {deliveries.outcome(delivery_id) for delivery_id in [*mine, theirs]} == {("pending", "quiet-hours")}
    # By hand: one whose own time is still to come, and one that a provider has put off.
    ahead = deliveries.reminder(lesson, 60, channel="email", due_at=at + timedelta(minutes=9), reason="quiet-hours")
    retried = deliveries.message(channel="email", due_at=at, reason="451 later")
    preferences = Preferences(alarms=(800, 60), channels=("email",), timezone="UTC", **night(hours))
    with deliveries.database.transaction() as session:
        set_preferences(session, school.student, preferences, now=datetime.now(UTC))
    assert all(deliveries.delivery(delivery_id).due_at <= datetime.now(UTC) for delivery_id in mine)
    assert deliveries.delivery(ahead).due_at == at == deliveries.delivery(retried).due_at
    deliveries.send_all()
    rows = [deliveries.delivery(delivery_id) for delivery_id in mine]
    if hours:
        until = datetime.now(UTC) + timedelta(hours=hours)
        assert {(row.state, row.reason, row.attempts) for row in rows} == {("pending", "quiet-hours", 0)}
        assert all(abs(row.due_at - until) < timedelta(seconds=30) for row in rows)
    else:
        assert {(row.state, row.attempts) for row in rows} == {("sent", 1)}
    assert len(mail.received) == (0 if hours else 2)
    assert deliveries.outcome(theirs) == ("pending", "quiet-hours")
    assert deliveries.delivery(theirs).due_at > datetime.now(UTC) + timedelta(hours=8)


def test_an_unknown_zone_does_not_hold_up_a_reminder(deliveries: DeliveryFixture) -> None:
    deliveries.prefer(quiet_start=time(1), quiet_end=time(1, 1), timezone="Mars/Phobos")
    delivery = deliveries.reminder(deliveries.lesson())
    deliveries.send_all()
    assert deliveries.delivery(delivery).state == "sent"


def test_a_recipient_put_off_is_tried_again_while_it_makes_sense(deliveries: DeliveryFixture, mail: MailSink) -> None:
    deliveries.do("UPDATE users SET email = 'busy@example.org' WHERE id = 2")
    delivery = deliveries.message(channel="email")
    for attempt, seconds in enumerate((5, 60, 300, 1800), 1):
        deliveries.send_all(deliveries.new_sender())
        row = deliveries.delivery(delivery)
        assert (row.state, row.attempts) == ("pending", attempt)
        assert "451" in row.reason
        assert 0.75 * seconds < (row.due_at - datetime.now(UTC)).total_seconds() < 1.25 * seconds
        deliveries.make_due(delivery)
    deliveries.send_all(deliveries.new_sender())
    assert deliveries.delivery(delivery).state == "failed"
    assert mail.requests["busy"] == 5
    # The address is not at fault: the message goes to another channel, and no channel is reported.
    rows = deliveries.all("SELECT kind, channel, state FROM deliveries WHERE id <> :id", id=delivery)
    assert [tuple(row) for row in rows] == [("recording-ready", "in_app", "pending")]


def test_a_reminder_that_cannot_be_sent_in_time_is_dropped(deliveries: DeliveryFixture) -> None:
    deliveries.do("UPDATE users SET email = 'busy@example.org' WHERE id = 2")
    delivery = deliveries.reminder(deliveries.lesson(timedelta(seconds=40)), channel="email")
    deliveries.send_all()
    assert deliveries.delivery(delivery).state == "pending"
    deliveries.make_due(delivery)
    deliveries.send_all()
    assert deliveries.outcome(delivery) == ("dropped", "too-late")


def test_a_refused_account_address_is_told_once_and_the_fallback_used(
    deliveries: DeliveryFixture, mail: MailSink
) -> None:
    sealed = seal(deliveries, Mailbox("other@example.org"))
    second, unconfirmed = deliveries.channel("email", sealed), deliveries.channel("email", sealed, confirmed=False)
    deliveries.prefer(fallback=[unconfirmed, second])
    deliveries.do("UPDATE users SET email = 'gone@example.org' WHERE id = 2")
    lesson = deliveries.lesson()
    first = deliveries.reminder(lesson, channel="email")
    deliveries.message(channel="email")
    for _ in range(3):
        deliveries.send_all()
    state, reason = deliveries.outcome(first)
    assert (state, "550" in str(reason)) == ("failed", True)
    assert [to for _id, to in mail.received] == ["other@example.org", "other@example.org"]
    assert mail.requests["gone"] == 2
    notification = deliveries.one("SELECT * FROM notifications WHERE kind = 'channel-disabled'")
    assert notification.user_id == 2
    # No code can be sent there: what helps is said instead.
    assert "in your account" in notification.message
    assert "code" not in notification.message
    copies = deliveries.all(
        "SELECT channel, minutes_before, expires_at FROM deliveries WHERE key LIKE 'lesson:%' ORDER BY id"
    )
    assert [row.channel for row in copies] == ["email", second]
    assert copies[0][1:] == copies[1][1:]


def test_a_fallback_that_waits_is_kept_when_the_lesson_is_planned_again(
    deliveries: DeliveryFixture, mail: MailSink
) -> None:
    """Beat plans all lessons every hour; the fallback may wait for its provider, or for the end of quiet hours."""
    second = deliveries.channel("email", seal(deliveries, Mailbox("other@example.org")))
    deliveries.prefer(channels=["email"], fallback=[second], alarms=[15])
    deliveries.do("UPDATE users SET email = 'gone@example.org' WHERE id = 2")
    lesson = deliveries.lesson()
    deliveries.reminder(lesson, channel="email")
    deliveries.send_all()
    with deliveries.database.transaction() as session:
        plan_reminders(session, [lesson[0]], now=datetime.now(UTC))
    deliveries.send_all()
    assert [to for _id, to in mail.received] == ["other@example.org"]


def test_a_refused_channel_is_disabled_and_what_waits_for_it_goes_elsewhere(deliveries: DeliveryFixture) -> None:
    channel = deliveries.channel("email", seal(deliveries, Mailbox("gone@example.org")))
    first, second = (deliveries.message(channel=channel) for _n in range(2))
    deliveries.send_all()
    # Whether the server knows anybody is not known yet.
    assert deliveries.one("SELECT disabled_at FROM notification_channels").disabled_at is None
    deliveries.message(channel="email", user_id=1, kind="test", data={"label": "x"})
    deliveries.send_all()
    row = deliveries.one("SELECT * FROM notification_channels")
    assert row.disabled_at is not None
    assert "550" in row.disabled_reason
    assert (deliveries.delivery(first).state, deliveries.outcome(second)) in (
        ("failed", ("failed", row.disabled_reason)),
        ("failed", ("failed", "channel-disabled")),
    )
    later = deliveries.message(channel=channel)
    deliveries.send_all()
    assert deliveries.outcome(later) == ("failed", "channel-disabled")
    deliveries.send_all()
    kinds = [row.kind for row in deliveries.all("SELECT kind FROM notifications ORDER BY kind")]
    # Notified once about the channel, and every message reached the app.
    assert kinds == ["channel-disabled", "recording-ready", "recording-ready", "recording-ready"]


def test_the_fallback_of_the_alarm_goes_before_the_preferences(deliveries: DeliveryFixture, mail: MailSink) -> None:
    deliveries.prefer(fallback=["in_app"])
    deliveries.do("UPDATE users SET email = 'gone@example.org' WHERE id = 2")
    mine = deliveries.channel("email", seal(deliveries, Mailbox("mine@example.org")))
    lesson = deliveries.lesson()
    deliveries.do(
        "INSERT INTO lesson_alarms (user_id, schedule_id, minutes_before, fallback) VALUES (2, :id, 15, :fallback)",
        id=lesson[0],
        fallback=[mine],
    )
    deliveries.reminder(lesson, channel="email")
    deliveries.send_all()
    deliveries.send_all()
    assert [to for _id, to in mail.received] == ["mine@example.org"]


def test_a_webhook_that_leads_inside_is_refused_for_good(deliveries: DeliveryFixture) -> None:
    channel = deliveries.channel("webhook", seal(deliveries, Webhook("https://localhost/hook", "whsec_" + "A" * 44)))
    delivery = deliveries.message(channel=channel)
    deliveries.send_all()
    row = deliveries.delivery(delivery)
    assert row.state == "failed"
    assert "whsec" not in row.reason
    assert deliveries.one("SELECT disabled_at FROM notification_channels").disabled_at is not None


def test_a_channel_that_was_removed_or_is_not_theirs(deliveries: DeliveryFixture) -> None:
    others = deliveries.channel("email", seal(deliveries, Mailbox("other@example.org")), user_id=5)
    ids = [deliveries.message(channel=others), deliveries.message(channel="4711")]
    deliveries.send_all()
    assert {deliveries.outcome(delivery_id) for delivery_id in ids} == {("dropped", "channel-removed")}


def test_a_failing_provider_delays_its_own_channel_only(deliveries: DeliveryFixture, mail: MailSink) -> None:
    mail.closed = True
    people = deliveries.crowd(30)
    mails = [deliveries.message(channel="email", user_id=person) for person in people]
    in_app = [deliveries.message(user_id=person) for person in people]
    deliveries.send_all()
    assert {deliveries.delivery(delivery_id).state for delivery_id in in_app} == {"sent"}
    rows = [deliveries.delivery(delivery_id) for delivery_id in mails]
    assert {row.state for row in rows} == {"pending"}
    # After five failures no other delivery waits for a response. None is charged an attempt: the provider failed.
    assert {row.attempts for row in rows} == {0}
    assert sum(row.reason == "provider-away" for row in rows) == 25
    # It works again: what was put off goes out, and nothing twice.
    mail.closed = False
    deliveries.do("UPDATE deliveries SET due_at = now() WHERE state = 'pending'")
    deliveries.send_all(deliveries.new_sender())
    assert len(mail.received) == len(set(mail.received)) == 30


def test_recipients_who_are_put_off_do_not_stop_the_mail_of_others(deliveries: DeliveryFixture, mail: MailSink) -> None:
    """The server works: seven full mailboxes in a row say nothing of the eighth."""
    *busy, fine = deliveries.crowd(8)
    deliveries.do("UPDATE users SET email = 'busy@example.org' WHERE id = ANY(:ids)", ids=busy)
    ids = [deliveries.message(channel="email", user_id=user_id) for user_id in (*busy, fine)]
    deliveries.send_all()
    assert mail.requests["busy"] == 7
    assert [deliveries.delivery(delivery_id).state for delivery_id in ids] == ["pending"] * 7 + ["sent"]


def test_a_dead_webhook_is_not_waited_for_by_the_others(deliveries: DeliveryFixture) -> None:
    """Of two receivers the first hangs: what is for the second goes out meanwhile."""

    class Receivers(InterferingTransport):
        def provider(self, delivery: Any) -> str:
            return f"webhook:{delivery.user_id}"

    reached = threading.Event()
    waited: list[bool] = []

    def receive(delivery: Any) -> None:
        if delivery.user_id == 1:
            waited.append(reached.wait(TIMEOUT))
        else:
            reached.set()

    dead, alive = (deliveries.message(channel="email", user_id=user_id) for user_id in (1, 2))
    deliveries.send_all(deliveries.new_sender(Receivers(receive)))
    assert waited == [True]
    assert deliveries.delivery(dead).state == deliveries.delivery(alive).state == "sent"


def test_a_slow_provider_gives_its_process_back(deliveries: DeliveryFixture, mail: MailSink) -> None:
    """It takes 0.4 s for each mail, and a batch has one second: a third mail is the last, or an earlier one."""
    deliveries.do("UPDATE users SET email = 'slow@example.org' WHERE id = 2")
    mail.slowness = 0.4
    for _n in range(5):
        deliveries.message(channel="email")
    deliveries.send_all(deliveries.new_sender(timeout=1.0))
    rows = deliveries.all("SELECT state, attempts FROM deliveries ORDER BY state, attempts")
    sent = sum(row.state == "sent" for row in rows)
    assert 1 <= sent <= 3
    assert [tuple(row) for row in rows] == [("pending", 0)] * (5 - sent) + [("sent", 1)] * sent


def test_a_message_that_cannot_be_said_holds_up_no_other(deliveries: DeliveryFixture) -> None:
    odd, fine = deliveries.message(data={"nothing": 1}), deliveries.message()
    deliveries.send_all()
    assert (deliveries.outcome(odd), deliveries.outcome(fine)) == (("failed", "untellable"), ("sent", None))


def test_a_code_comes_readable_where_it_was_ordered_and_nowhere_else(
    deliveries: DeliveryFixture, mail: MailSink
) -> None:
    """Registered, sent, confirmed: in the table the code stands sealed."""
    vault, now = AddressSealer.of(deliveries.settings), datetime.now(UTC)
    destination = checked_destination("email", "second@example.org", EgressPolicy.of(deliveries.settings))
    with deliveries.database.transaction() as session:
        channel_id = register_channel(session, vault, 2, destination, now=now).id
    deliveries.send_all()
    letter = mail.messages[-1]
    body = letter.get_body(("plain",))
    assert body is not None
    [code] = set(re.findall(r"\b\d{6}\b", body.get_content()))
    assert letter["To"] == "second@example.org"
    assert code not in deliveries.one("SELECT data::text AS data FROM deliveries").data
    with deliveries.database.transaction() as session:
        channel = find_channel(session, 2, channel_id)
        assert confirm(vault, channel, code, now=datetime.now(UTC)) == "confirmed"


class InterferingTransport:
    """A transport during which something happens to the delivery."""

    def __init__(self, interfere: Any) -> None:
        self.interfere = interfere
        self.sent = 0

    def provider(self, _delivery: Any) -> str:
        return "interfering"

    def readable(self, delivery: Any) -> Any:
        return delivery

    def send(self, delivery: Any, _message: RenderedMessage) -> None:
        self.sent += 1
        self.interfere(delivery)

    def disconnect(self) -> None:
        pass


def test_no_transaction_is_open_while_it_is_sent(deliveries: DeliveryFixture) -> None:
    open_ones: list[int] = []

    def look(_delivery: Any) -> None:
        sql = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND state LIKE :idle"
        open_ones.append(deliveries.one(sql, idle="idle in transaction%").n)

    deliveries.message(channel="email")
    deliveries.send_all(deliveries.new_sender(InterferingTransport(look)))
    assert open_ones == [0]


def test_who_lost_its_lease_while_sending_marks_nothing(deliveries: DeliveryFixture) -> None:
    successor = uuid4()

    def lose(delivery: Any) -> None:
        deliveries.do("UPDATE deliveries SET lease_until = now() - interval '1 s' WHERE id = :id", id=delivery.id)
        with deliveries.database.statement() as statement:
            claim(statement, "email", lost=True, token=successor, most=1, lease=60.0)

    delivery = deliveries.message(channel="email")
    deliveries.send_all(deliveries.new_sender(InterferingTransport(lose)))
    row = deliveries.delivery(delivery)
    assert (row.state, row.send_token) == ("sending", successor)


@pytest.mark.parametrize("error", [ZeroDivisionError("with a secret in it"), KeyError("address")])
def test_what_nobody_expected_is_tried_again_and_says_nothing_secret(
    deliveries: DeliveryFixture, error: Exception
) -> None:
    def crash(_delivery: Any) -> None:
        raise error

    delivery = deliveries.message(channel="email")
    deliveries.send_all(deliveries.new_sender(InterferingTransport(crash)))
    assert deliveries.outcome(delivery) == ("pending", "internal")


def test_a_message_that_ends_its_process_each_time_is_given_up(deliveries: DeliveryFixture) -> None:
    delivery = deliveries.message(channel="email")
    deliveries.do("UPDATE deliveries SET attempts = 6")
    deliveries.send_all(deliveries.new_sender(InterferingTransport(lambda _delivery: pytest.fail("sent"))))
    assert deliveries.outcome(delivery) == ("failed", "worker-lost")


def test_metrics(deliveries: DeliveryFixture) -> None:
    from worker.reminders.delivery.metrics import delivery_metrics

    deliveries.message(due_at=datetime.now(UTC) - timedelta(seconds=100))
    deliveries.message(due_at=datetime.now(UTC) + timedelta(seconds=100))
    deliveries.message("test", data={}, due_at=datetime.now(UTC) - timedelta(seconds=30))
    # Planned for later, and over for long: neither is counted.
    deliveries.message(due_at=datetime.now(UTC) + timedelta(hours=2))
    old = deliveries.message()
    deliveries.do("UPDATE deliveries SET state = 'sent', updated_at = now() - interval '2 h' WHERE id = :id", id=old)
    with deliveries.database.transaction() as session:
        metrics = delivery_metrics(session)
    assert 99 < metrics.overdue < 110
    assert metrics.counts == {("pending", "recording-ready"): 2, ("pending", "test"): 1}
    deliveries.send_all()
    with deliveries.database.transaction() as session:
        metrics = delivery_metrics(session)
    assert metrics.overdue == 0
    assert metrics.counts == {
        ("pending", "recording-ready"): 1,
        ("sent", "recording-ready"): 1,
        ("sent", "test"): 1,
    }
