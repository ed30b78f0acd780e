"""Who is at fault: our own failure disables no channel, and neither does a single odd response."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import MakeIdentity
from tests.reminders.sending.conftest import DeliveryFixture, MailSink
from worker.channels.destinations import Mailbox, Webhook, new_webhook_secret, to_text
from worker.channels.errors import PermanentFailure
from worker.channels.sealed_addresses import AddressSealer
from worker.channels.tls import system_trust
from worker.reminders.channel_codes import confirm, reveal_code
from worker.reminders.channels import find_channel, send_another_code
from worker.reminders.delivery.metrics import delivery_metrics
from worker.reminders.delivery.retry import LONGEST_WAIT
from worker.reminders.unknown_recipients import MAX_UNKNOWN

LIMIT = "550 5.4.5 Daily sending limit exceeded"


def seal(deliveries: DeliveryFixture, destination: Any) -> bytes:
    return AddressSealer.of(deliveries.settings).seal(to_text(destination))


def trouble(deliveries: DeliveryFixture) -> dict[str, float]:
    """What operators watch."""
    with deliveries.database.transaction() as session:
        return delivery_metrics(session).troubles


def off(deliveries: DeliveryFixture) -> list[int]:
    return [row.id for row in deliveries.all("SELECT id FROM notification_channels WHERE disabled_at IS NOT NULL")]


def channel_notifications(deliveries: DeliveryFixture) -> int:
    return int(deliveries.one("SELECT count(*) AS n FROM deliveries WHERE kind = 'channel-disabled'").n)


def send_due_now(deliveries: DeliveryFixture, rounds: int = 1) -> None:
    """As if their times had come; by a process that has learned nothing yet."""
    for _ in range(rounds):
        deliveries.do("UPDATE deliveries SET due_at = now() WHERE state = 'pending'")
        deliveries.send_all(deliveries.new_sender())


@pytest.mark.parametrize("stage", ["recipient", "content"])
@pytest.mark.parametrize(
    "reply",
    [
        LIMIT,
        "550 5.1.8 Sender address rejected",
        "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname",
        "554 <unknown[192.0.2.1]>: Client host rejected: Access denied",
        "554 no",
        "550 5.7.1 Daily SMTP relay limit exceeded for customer.",
        "421 4.7.28 unusual rate",
    ],
)
def test_what_is_ours_stops_nobodys_channel(
    deliveries: DeliveryFixture, mail: MailSink, stage: str, reply: str
) -> None:
    channel = deliveries.channel("email", seal(deliveries, Mailbox("second@example.org")))
    ids = [deliveries.message(channel="email"), deliveries.message(channel=channel)]
    setattr(mail, stage, reply)

    send_due_now(deliveries, rounds=8)

    rows = [deliveries.delivery(delivery_id) for delivery_id in ids]
    assert {(row.state, row.attempts) for row in rows} == {("pending", 0)}
    assert off(deliveries) == []
    assert channel_notifications(deliveries) == 0

    setattr(mail, stage, None)
    send_due_now(deliveries)

    assert {deliveries.delivery(delivery_id).state for delivery_id in ids} == {"sent"}


def test_a_server_that_keeps_mail_and_does_not_confirm_it_gets_five_copies(
    deliveries: DeliveryFixture, mail: MailSink
) -> None:
    delivery = deliveries.message(channel="email")
    mail.hangs_up = True

    send_due_now(deliveries, rounds=8)

    assert len(mail.received) == 5
    assert len(set(mail.received)) == 1
    assert list(trouble(deliveries)) == ["email"]
    assert deliveries.delivery(delivery).state == "failed"
    assert deliveries.one("SELECT state FROM deliveries WHERE channel = 'in_app'").state == "sent"


def test_over_a_daily_limit_a_hundred_people_keep_their_channels(deliveries: DeliveryFixture, mail: MailSink) -> None:
    """And operators are alarmed until mail goes out again; what was for a lesson that is over is not sent any more."""
    people = deliveries.crowd(100)
    ids = [deliveries.message(channel="email", user_id=person) for person in people]
    lesson = deliveries.lesson()
    late = deliveries.reminder(lesson, channel="email")
    mail.recipient = LIMIT

    deliveries.send_all()

    # The breaker: five are refused, the others are not even tried.
    assert sum(mail.requests.values()) == 5
    assert {deliveries.delivery(delivery_id).state for delivery_id in ids} == {"pending"}
    assert off(deliveries) == []
    assert channel_notifications(deliveries) == 0
    assert list(trouble(deliveries)) == ["email"]
    row = deliveries.one("SELECT * FROM provider_troubles")
    assert "550 5.4.5" in row.reason

    mail.recipient = None
    deliveries.do("UPDATE deliveries SET due_at = now(), expires_at = now() WHERE id = :id", id=late)
    deliveries.do("UPDATE deliveries SET due_at = now() WHERE state = 'pending'")
    # The same process, after its rest.
    deliveries.sender._breaker._failing.clear()
    deliveries.do("UPDATE provider_troubles SET since = now() - interval '1 hour'")
    deliveries.send_all()

    assert {deliveries.delivery(delivery_id).state for delivery_id in ids} == {"sent"}
    assert len(mail.received) == len(set(mail.received)) == 100
    assert deliveries.outcome(late) == ("dropped", "too-late")


def test_the_alarm_lasts_as_long_as_the_trouble(deliveries: DeliveryFixture, mail: MailSink) -> None:
    deliveries.message(channel="email")
    mail.recipient = LIMIT
    deliveries.send_all()
    deliveries.do("UPDATE provider_troubles SET since = now() - interval '100 s', last_at = now() - interval '40 s'")
    assert trouble(deliveries)["email"] == pytest.approx(100, abs=30)

    deliveries.do("UPDATE deliveries SET due_at = now()")
    deliveries.send_all()
    assert trouble(deliveries)["email"] > 99

    mail.recipient = None
    deliveries.do("UPDATE deliveries SET due_at = now()")
    deliveries.send_all()
    assert trouble(deliveries) == {}


def test_the_alarm_ends_when_another_process_sends(deliveries: DeliveryFixture, mail: MailSink) -> None:
    """What knows of the failures is the process that met them, and it may have nothing more to send."""
    deliveries.message(channel="email")
    mail.recipient = LIMIT
    deliveries.send_all()
    assert list(trouble(deliveries)) == ["email"]

    mail.recipient = None
    deliveries.do("UPDATE deliveries SET due_at = now()")
    deliveries.send_all(deliveries.new_sender())
    assert trouble(deliveries) == {}


def test_an_alarm_that_nobody_can_stop_any_more_ends(deliveries: DeliveryFixture, mail: MailSink) -> None:
    """The process that met the trouble ended; what it could not send is over."""
    deliveries.message(channel="email")
    mail.recipient = LIMIT
    deliveries.send_all()
    deliveries.do("UPDATE provider_troubles SET last_at = now() - interval '16 min'")
    assert trouble(deliveries) == {}
    deliveries.do("UPDATE deliveries SET due_at = now()")
    deliveries.send_all(deliveries.new_sender())
    assert trouble(deliveries)["email"] < 60


def test_what_our_trouble_would_bring_too_late_is_found_in_the_app(deliveries: DeliveryFixture, mail: MailSink) -> None:
    """It would be tried again in a minute."""
    mail.recipient = LIMIT
    reminder = deliveries.reminder(deliveries.lesson(timedelta(seconds=59)), channel="email")
    deliveries.send_all()
    deliveries.send_all()
    assert deliveries.outcome(reminder) == ("dropped", "too-late")
    [note] = deliveries.all("SELECT kind FROM notifications WHERE user_id = 2")
    assert note.kind == "lesson-reminder"


@pytest.mark.parametrize("kind", ["channel-code", "test"])
def test_a_code_never_goes_to_the_app_instead(deliveries: DeliveryFixture, mail: MailSink, kind: str) -> None:
    """It would confirm a channel that no message has reached."""
    channel = deliveries.channel("email", seal(deliveries, Mailbox("second@example.org")))
    mail.recipient = LIMIT
    sealed = AddressSealer.of(deliveries.settings).seal("123456").decode()
    data = {"code": sealed, "minutes": 15, "label": "x"} if kind == "channel-code" else {}
    soon = datetime.now(UTC) + timedelta(seconds=55)
    delivery = deliveries.message(kind, channel=channel, expires_at=soon, data=data)
    deliveries.send_all()
    assert deliveries.outcome(delivery) == ("dropped", "too-late")
    assert deliveries.one("SELECT count(*) AS n FROM deliveries").n == 1


def test_a_message_that_never_expires_waits_for_days_and_not_for_ever(
    deliveries: DeliveryFixture, mail: MailSink
) -> None:
    channel = deliveries.channel("email", seal(deliveries, Mailbox("second@example.org")))
    old, new = deliveries.message(channel=channel), deliveries.message(channel=channel)
    deliveries.do("UPDATE deliveries SET created_at = now() - :age WHERE id = :id", age=LONGEST_WAIT, id=old)
    mail.recipient = LIMIT
    deliveries.send_all()
    assert [deliveries.delivery(delivery_id).state for delivery_id in (old, new)] == ["failed", "pending"]
    assert off(deliveries) == []
    assert (
        deliveries.one("SELECT channel FROM deliveries WHERE id NOT IN (:old, :new)", old=old, new=new).channel
        == "in_app"
    )


def test_a_message_that_is_refused_goes_by_another_way_and_the_channel_stays(
    deliveries: DeliveryFixture, mail: MailSink
) -> None:
    channel = deliveries.channel("email", seal(deliveries, Mailbox("second@example.org")))
    big = deliveries.message(channel=channel)
    mail.content = "552 5.3.4 Message size exceeds fixed limit"
    deliveries.send_all()
    assert deliveries.delivery(big).state == "failed"
    assert off(deliveries) == []
    assert trouble(deliveries) == {}
    assert [row.channel for row in deliveries.all("SELECT channel FROM deliveries WHERE state = 'pending'")] == [
        "in_app"
    ]


@pytest.mark.parametrize("settings_", [{"smtp_host": None}, {"from_email": "nobody"}, {"smtp_user": "alone"}])
def test_settings_of_ours_stop_nobodys_channel(deliveries: DeliveryFixture, settings_: dict[str, Any]) -> None:
    deliveries.settings = deliveries.settings.model_copy(update=settings_)
    delivery = deliveries.message(channel="email")
    send_due_now(deliveries, rounds=8)
    assert (deliveries.delivery(delivery).state, deliveries.delivery(delivery).attempts) == ("pending", 0)
    assert list(trouble(deliveries)) == ["email"]


@pytest.mark.parametrize(
    "address",
    [
        " 2@example.org",
        "2@example.org ",
        "\t2@example.org\r\n",
        "2@example.org\n",
        "\u00a02@example.org\u200b",
        "\ufeff2@example.org",
        "\u200e 2@example.org \u200f",
    ],
)
def test_an_account_address_with_blanks_around_it_gets_mail(
    deliveries: DeliveryFixture, mail: MailSink, address: str
) -> None:
    deliveries.do("UPDATE users SET email = :email WHERE id = 2", email=address)
    delivery = deliveries.message(channel="email")
    deliveries.send_all()
    assert deliveries.delivery(delivery).state == "sent"
    assert [to for _id, to in mail.received] == ["2@example.org"]
    assert mail.messages[-1]["To"] == "2@example.org"


@pytest.mark.parametrize(
    "address",
    [
        "2@example.org\r\nBcc: evil@example.org",
        "2@example.org, evil@example.org",
        "2@exam\nple.org",
        "2@example.org\x00",
        "\x002@example.org".replace("\x00", "\x01"),
        "2\u200b@example.org",
        "<2@example.org>",
    ],
)
def test_what_is_no_address_brings_no_mail_to_anybody(
    deliveries: DeliveryFixture, mail: MailSink, address: str
) -> None:
    if "\x00" in address:
        address = address.replace("\x00", "\x7f")
    deliveries.do("UPDATE users SET email = :email WHERE id = 2", email=address)
    delivery = deliveries.message(channel="email")
    deliveries.send_all()
    assert deliveries.delivery(delivery).state == "failed"
    assert mail.received == []


@pytest.mark.parametrize("registered", ["2@example.org", "2@EXAMPLE.org"])
def test_the_accounts_own_address_as_a_channel_means_one_mail(
    deliveries: DeliveryFixture, mail: MailSink, registered: str
) -> None:
    deliveries.do("UPDATE users SET email = ' 2@Example.ORG' WHERE id = 2")
    channel = deliveries.channel("email", seal(deliveries, Mailbox(registered)))
    other = deliveries.channel("email", seal(deliveries, Mailbox("other@example.org")))
    ids = [deliveries.message(channel=name, key="k") for name in (channel, "email", other)]
    deliveries.send_all()
    assert [deliveries.outcome(delivery_id) for delivery_id in ids] == [
        ("dropped", "same-mailbox"),
        ("sent", None),
        ("sent", None),
    ]
    assert sorted(to for _id, to in mail.received) == ["2@example.org", "other@example.org"]
    # Alone it is used.
    alone = deliveries.message(channel=channel)
    deliveries.send_all()
    assert deliveries.outcome(alone) == ("sent", None)


def test_should_both_go_out_they_are_one_message(deliveries: DeliveryFixture, mail: MailSink) -> None:
    """The account's own failed for good in the meantime, or the row came later: the Message-ID is the same."""
    channel = deliveries.channel("email", seal(deliveries, Mailbox("2@example.org")))
    deliveries.message(channel="email", key="k")
    deliveries.send_all()
    deliveries.do("UPDATE deliveries SET state = 'failed'")
    deliveries.message(channel=channel, key="k")
    deliveries.send_all()
    first, second = mail.received
    assert first == second


def test_a_message_whose_mailbox_refuses_reaches_the_app_past_the_same_mailbox(deliveries: DeliveryFixture) -> None:
    deliveries.do("UPDATE users SET email = 'gone@example.org' WHERE id = 2")
    channel = deliveries.channel("email", seal(deliveries, Mailbox("gone@example.org")))
    deliveries.prefer(fallback=[channel])
    ids = [deliveries.message(channel=name, key="k") for name in (channel, "email")]
    deliveries.send_all()
    deliveries.send_all()
    assert [deliveries.delivery(delivery_id).state for delivery_id in ids] == ["dropped", "failed"]
    assert deliveries.one("SELECT state FROM deliveries WHERE key = 'k' AND channel = 'in_app'").state == "sent"


@pytest.mark.parametrize("kind", ["lesson-reminder", "recording-ready"])
@pytest.mark.parametrize("in_app_too", [True, False])
def test_what_is_wholly_inside_quiet_hours_is_found_in_the_app(
    deliveries: DeliveryFixture, mail: MailSink, kind: str, in_app_too: bool
) -> None:
    now = datetime.now(UTC)
    start, end = ((now + timedelta(hours=hours)).time().replace(microsecond=0) for hours in (-2, 3))
    deliveries.prefer(quiet_start=start, quiet_end=end, timezone="UTC", channels=["email"])
    lesson = deliveries.lesson(timedelta(minutes=10))

    def order(channel: str) -> int:
        if kind == "lesson-reminder":
            return int(deliveries.reminder(lesson, channel=channel))
        return int(deliveries.message(kind, channel=channel, key="k", expires_at=now + timedelta(hours=1)))

    mailed = order("email")
    if in_app_too:
        order("in_app")
    deliveries.send_all()
    deliveries.send_all()
    assert deliveries.outcome(mailed) == ("dropped", "quiet-hours")
    assert mail.received == []
    assert [row.kind for row in deliveries.all("SELECT kind FROM notifications WHERE user_id = 2")] == [kind]


class Hook:
    """A webhook on this machine: it responds with `status` and counts requests."""

    def __init__(self, port: int) -> None:
        self.status = 404
        self.requests = 0
        self.url = f"https://localhost:{port}/hook"


@pytest.fixture
def hook(make_identity: MakeIdentity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hook]:
    """This process trusts its certificate for the test."""
    identity = make_identity(tmp_path, "localhost")
    webhook: Hook

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            webhook.requests += 1
            self.send_response(webhook.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: Any) -> None:
            pass

    with serving(Handler, identity.server) as port:
        webhook = Hook(port)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        system_trust.cache_clear()
        yield webhook
    monkeypatch.undo()
    system_trust.cache_clear()


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def webhook_channel(deliveries: DeliveryFixture, hook: Hook) -> str:
    """A confirmed channel that leads there; the operator allows this machine."""
    here = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    deliveries.settings = deliveries.settings.model_copy(update={"webhook_allowed_networks": here})
    return str(deliveries.channel("webhook", seal(deliveries, Webhook(hook.url, new_webhook_secret()))))


def failures(deliveries: DeliveryFixture, channel: str) -> Any:
    return deliveries.one("SELECT * FROM notification_channels WHERE id = :id", id=int(channel))


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 500, 503])
def test_a_webhook_that_fails_for_a_day_is_switched_off_and_not_before(
    deliveries: DeliveryFixture, hook: Hook, webhook_channel: str, status: int
) -> None:
    hook.status = status
    first = deliveries.message(channel=webhook_channel)
    send_due_now(deliveries, rounds=5)
    assert hook.requests == 5
    assert off(deliveries) == []
    assert failures(deliveries, webhook_channel).failures == 5
    # The message itself has come by another way.
    assert deliveries.delivery(first).state == "failed"
    assert deliveries.one("SELECT count(*) AS n FROM deliveries WHERE channel = 'in_app'").n == 1

    deliveries.do("UPDATE notification_channels SET failing_since = failing_since - interval '23 h'")
    deliveries.message(channel=webhook_channel)
    send_due_now(deliveries)
    assert off(deliveries) == []

    deliveries.do("UPDATE notification_channels SET failing_since = failing_since - interval '1 h'")
    last = deliveries.message(channel=webhook_channel)
    send_due_now(deliveries)
    assert off(deliveries) == [int(webhook_channel)]
    assert str(status) in failures(deliveries, webhook_channel).disabled_reason
    # The owner is notified in the app how to enable it again, and finds the messages there.
    send_due_now(deliveries, rounds=2)
    assert deliveries.delivery(last).state == "failed"
    assert deliveries.one("SELECT count(*) AS n FROM notifications WHERE kind = 'recording-ready'").n == 3
    notification = deliveries.one("SELECT * FROM notifications WHERE kind = 'channel-disabled'")
    assert "new code" in notification.message


def test_who_confirms_it_again_begins_with_no_failures(
    deliveries: DeliveryFixture, hook: Hook, webhook_channel: str
) -> None:
    deliveries.do(
        "UPDATE notification_channels SET failures = 9, failing_since = now() - interval '9 d', disabled_at = now(),"
        " disabled_reason = '404'"
    )
    vault = AddressSealer.of(deliveries.settings)
    with deliveries.database.transaction() as session:
        send_another_code(session, vault, 2, int(webhook_channel), now=datetime.now(UTC))
    code = reveal_code(vault, deliveries.one("SELECT data FROM deliveries").data)["code"]
    with deliveries.database.transaction() as session:
        channel = find_channel(session, 2, int(webhook_channel))
        assert confirm(vault, channel, code, now=datetime.now(UTC)) == "confirmed"
    hook.status = 404
    deliveries.message(channel=webhook_channel)
    send_due_now(deliveries)
    assert off(deliveries) == []
    # The code, too, could not be brought there.
    assert failures(deliveries, webhook_channel).failures == 2


def test_one_success_in_between_forgets_all_failures(
    deliveries: DeliveryFixture, hook: Hook, webhook_channel: str
) -> None:
    deliveries.message(channel=webhook_channel)
    send_due_now(deliveries, rounds=4)
    deliveries.do("UPDATE notification_channels SET failing_since = failing_since - interval '2 days'")
    hook.status = 200
    send_due_now(deliveries)
    assert (failures(deliveries, webhook_channel).failures, failures(deliveries, webhook_channel).failing_since) == (
        0,
        None,
    )
    hook.status = 404
    deliveries.message(channel=webhook_channel)
    send_due_now(deliveries, rounds=4)
    assert off(deliveries) == []


def test_four_failures_over_a_week_are_too_few(deliveries: DeliveryFixture, hook: Hook, webhook_channel: str) -> None:
    deliveries.message(channel=webhook_channel)
    send_due_now(deliveries)
    deliveries.do("UPDATE notification_channels SET failing_since = failing_since - interval '7 days'")
    send_due_now(deliveries, rounds=3)
    assert off(deliveries) == []
    send_due_now(deliveries)
    assert off(deliveries) == [int(webhook_channel)]


def test_a_webhook_that_is_gone_is_switched_off_at_once(
    deliveries: DeliveryFixture, hook: Hook, webhook_channel: str
) -> None:
    hook.status = 410
    deliveries.message(channel=webhook_channel)
    send_due_now(deliveries)
    assert (hook.requests, off(deliveries)) == (1, [int(webhook_channel)])


def test_too_many_requests_and_the_like_do_not_count(
    deliveries: DeliveryFixture, hook: Hook, webhook_channel: str
) -> None:
    hook.status = 429
    deliveries.message(channel=webhook_channel)
    send_due_now(deliveries, rounds=5)
    assert failures(deliveries, webhook_channel).failures == 0


@pytest.mark.parametrize("others_work", [False, True])
def test_nobody_answers_and_that_may_be_our_own_network(
    deliveries: DeliveryFixture, hook: Hook, webhook_channel: str, others_work: bool
) -> None:
    """It counts only while others' webhooks take messages."""
    dead = deliveries.channel(
        "webhook", seal(deliveries, Webhook("https://localhost:9/hook", new_webhook_secret())), user_id=3
    )
    if others_work:
        hook.status = 200
        deliveries.message(channel=webhook_channel)
        send_due_now(deliveries)
    deliveries.message(channel=dead, user_id=3)
    send_due_now(deliveries, rounds=4)
    deliveries.do("UPDATE notification_channels SET failing_since = failing_since - interval '2 days'")
    send_due_now(deliveries)
    assert off(deliveries) == ([int(dead)] if others_work else [])


def test_a_mailbox_that_is_full_for_days_stays(deliveries: DeliveryFixture) -> None:
    channel = deliveries.channel("email", seal(deliveries, Mailbox("busy@example.org")))
    for _ in range(2):
        deliveries.message(channel=channel)
        send_due_now(deliveries, rounds=5)
    assert off(deliveries) == []
    assert failures(deliveries, channel).failures == 0


def test_keys_that_this_process_does_not_have_are_nobodys_fault(deliveries: DeliveryFixture) -> None:
    delivery = deliveries.message(channel=deliveries.channel("email", b"sealed with another key"))
    send_due_now(deliveries, rounds=6)
    assert deliveries.outcome(delivery)[0] == "pending"
    assert off(deliveries) == []
    with deliveries.database.transaction() as session:
        assert session.execute(text("SELECT provider FROM provider_troubles")).scalar_one() == "email"


def after_the_rest(deliveries: DeliveryFixture) -> None:
    """The same process, when it asks the server again."""
    for record in deliveries.sender._breaker._failing.values():
        record.open_until = 0.0
    deliveries.do("UPDATE deliveries SET due_at = now() WHERE state = 'pending'")
    deliveries.send_all()


UNKNOWN = ("550 5.1.1 no such user", "550 5.1.1 <x@y.example>: Recipient address rejected: User unknown")


@pytest.mark.parametrize("reply", UNKNOWN)
def test_a_relay_that_knows_nobody_switches_nothing_off(
    deliveries: DeliveryFixture, mail: MailSink, reply: str
) -> None:
    people = deliveries.crowd(20)
    channels = [
        deliveries.channel("email", seal(deliveries, Mailbox(f"c{person}@example.org")), user_id=person)
        for person in people
    ]
    ids = [
        deliveries.message(channel=channel, user_id=user_id) for user_id, channel in zip(people, channels, strict=True)
    ] + [deliveries.message(channel="email", user_id=person) for person in people]
    mail.recipient = reply

    for _ in range(3):
        after_the_rest(deliveries)

    assert off(deliveries) == []
    assert channel_notifications(deliveries) == 0
    assert list(trouble(deliveries)) == ["email"]
    # The first two have gone by another way, the others wait and are charged nothing.
    states = [deliveries.delivery(delivery_id) for delivery_id in ids]
    assert sorted({(row.state, row.attempts) for row in states}) == [("failed", 1), ("pending", 0)]
    assert sum(row.state == "failed" for row in states) == MAX_UNKNOWN - 1

    mail.recipient = None
    after_the_rest(deliveries)

    assert sum(deliveries.delivery(delivery_id).state == "sent" for delivery_id in ids) == len(ids) - MAX_UNKNOWN + 1
    assert off(deliveries) == []
    assert channel_notifications(deliveries) == 0
    assert trouble(deliveries) == {}


def test_who_is_gone_among_others_is_switched_off(deliveries: DeliveryFixture, mail: MailSink) -> None:
    channel = deliveries.channel("email", seal(deliveries, Mailbox("gone@example.org")))
    for _ in range(5):
        deliveries.message(channel=channel)
    deliveries.send_all()
    # One recipient, however often.
    assert trouble(deliveries) == {}
    assert off(deliveries) == []
    deliveries.message(channel="email", user_id=1)
    deliveries.send_all()
    assert off(deliveries) == [int(channel)]
    assert channel_notifications(deliveries) == 1


def test_who_got_another_address_meanwhile_keeps_it(deliveries: DeliveryFixture, mail: MailSink) -> None:
    channel = deliveries.channel("email", seal(deliveries, Mailbox("gone@example.org")))
    deliveries.message(channel=channel)
    deliveries.send_all()
    sealed = seal(deliveries, Mailbox("new@example.org"))
    deliveries.do("UPDATE notification_channels SET address = :address", address=sealed)
    deliveries.message(channel="email", user_id=1)
    deliveries.send_all()
    assert off(deliveries) == []


def test_no_log_names_the_host_of_a_webhook(
    deliveries: DeliveryFixture, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    class RefusingTransport:
        """A transport that refuses."""

        def __getattr__(self, name: str) -> Any:
            return getattr(deliveries.sender._transport, name)

        def send(self, _delivery: Any, _message: Any) -> None:
            raise PermanentFailure("The host wants no more messages: 410.")

    address = "https://private-host.example/path"
    message = deliveries.message(
        channel=deliveries.channel("webhook", seal(deliveries, Webhook(address, new_webhook_secret())))
    )
    with caplog.at_level("DEBUG"):
        deliveries.send_all(deliveries.new_sender(RefusingTransport()))
    assert deliveries.delivery(message).state == "failed"
    # Another test of this process may have configured the logs.
    log_text = "".join([caplog.text, *capsys.readouterr()])
    assert "delivery_refused" in log_text
    assert "private-host" not in log_text
