"""Whose trouble a failure is: ours stops nobody's channel, and one stray answer switches nothing off."""

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
from tests.reminders.sending.conftest import MailSink, Post
from worker.channels.destinations import Mailbox, Webhook, new_webhook_secret, to_text
from worker.channels.errors import PermanentFailure
from worker.channels.sealed_addresses import AddressSealer
from worker.channels.tls import system_trust
from worker.reminders.channel_codes import confirm, reveal_code
from worker.reminders.channels import find_channel, send_another_code
from worker.reminders.delivery.metrics import delivery_metrics
from worker.reminders.delivery.retry import PATIENCE
from worker.reminders.unknown_recipients import MOST_UNKNOWN

LIMIT = "550 5.4.5 Daily sending limit exceeded"


def seal(post: Post, destination: Any) -> bytes:
    return AddressSealer.of(post.settings).seal(to_text(destination))


def trouble(post: Post) -> dict[str, float]:
    """What operators watch."""
    with post.database.transaction() as session:
        return delivery_metrics(session).troubles


def off(post: Post) -> list[int]:
    return [row.id for row in post.all("SELECT id FROM notification_channels WHERE disabled_at IS NOT NULL")]


def said_of_channels(post: Post) -> int:
    return int(post.one("SELECT count(*) AS n FROM deliveries WHERE kind = 'channel-disabled'").n)


def send_due_now(post: Post, rounds: int = 1) -> None:
    """As if their times had come; by a process that has learned nothing yet."""
    for _ in range(rounds):
        post.do("UPDATE deliveries SET due_at = now() WHERE state = 'pending'")
        post.send_all(post.new_deliverer())


@pytest.mark.parametrize("stage", ["recipient", "content"])
@pytest.mark.parametrize(
    "answer",
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
def test_what_is_ours_stops_nobodys_channel(post: Post, mail: MailSink, stage: str, answer: str) -> None:
    channel = post.channel("email", seal(post, Mailbox("second@example.org")))
    ids = [post.message(channel="email"), post.message(channel=channel)]
    setattr(mail, stage, answer)

    send_due_now(post, rounds=8)

    rows = [post.delivery(one) for one in ids]
    assert {(row.state, row.attempts) for row in rows} == {("pending", 0)}
    assert off(post) == []
    assert said_of_channels(post) == 0

    setattr(mail, stage, None)
    send_due_now(post)

    assert {post.delivery(one).state for one in ids} == {"sent"}


def test_over_a_daily_limit_a_hundred_people_keep_their_channels(post: Post, mail: MailSink) -> None:
    """And operators are alarmed until mail goes out again; what was for a lesson that is over is not sent any more."""
    people = post.crowd(100)
    ids = [post.message(channel="email", user_id=one) for one in people]
    lesson = post.lesson()
    late = post.reminder(lesson, channel="email")
    mail.recipient = LIMIT

    post.send_all()

    # The breaker: five are refused, the others are not even tried.
    assert sum(mail.asked.values()) == 5
    assert {post.delivery(one).state for one in ids} == {"pending"}
    assert off(post) == []
    assert said_of_channels(post) == 0
    assert list(trouble(post)) == ["email"]
    row = post.one("SELECT * FROM provider_troubles")
    assert "550 5.4.5" in row.reason

    mail.recipient = None
    post.do("UPDATE deliveries SET due_at = now(), expires_at = now() WHERE id = :id", id=late)
    post.do("UPDATE deliveries SET due_at = now() WHERE state = 'pending'")
    # The same process, after its rest.
    post.deliverer._breaker._failing.clear()
    post.do("UPDATE provider_troubles SET since = now() - interval '1 hour'")
    post.send_all()

    assert {post.delivery(one).state for one in ids} == {"sent"}
    assert len(mail.received) == len(set(mail.received)) == 100
    assert post.outcome(late) == ("dropped", "too-late")


def test_the_alarm_lasts_as_long_as_the_trouble(post: Post, mail: MailSink) -> None:
    post.message(channel="email")
    mail.recipient = LIMIT
    post.send_all()
    post.do("UPDATE provider_troubles SET since = now() - interval '100 s', last_at = now() - interval '40 s'")
    assert trouble(post)["email"] == pytest.approx(100, abs=30)

    post.do("UPDATE deliveries SET due_at = now()")
    post.send_all()
    assert trouble(post)["email"] > 99

    mail.recipient = None
    post.do("UPDATE deliveries SET due_at = now()")
    post.send_all()
    assert trouble(post) == {}


def test_an_alarm_that_nobody_can_stop_any_more_ends(post: Post, mail: MailSink) -> None:
    """The process that met the trouble ended; what it could not send is over."""
    post.message(channel="email")
    mail.recipient = LIMIT
    post.send_all()
    post.do("UPDATE provider_troubles SET last_at = now() - interval '16 min'")
    assert trouble(post) == {}
    post.do("UPDATE deliveries SET due_at = now()")
    post.send_all(post.new_deliverer())
    assert trouble(post)["email"] < 60


def test_what_our_trouble_would_bring_too_late_is_found_in_the_app(post: Post, mail: MailSink) -> None:
    """It would be tried again in a minute."""
    mail.recipient = LIMIT
    reminder = post.reminder(post.lesson(timedelta(seconds=59)), channel="email")
    post.send_all()
    post.send_all()
    assert post.outcome(reminder) == ("dropped", "too-late")
    [note] = post.all("SELECT kind FROM notifications WHERE user_id = 2")
    assert note.kind == "lesson-reminder"


@pytest.mark.parametrize("kind", ["channel-code", "test"])
def test_a_code_never_goes_to_the_app_instead(post: Post, mail: MailSink, kind: str) -> None:
    """It would confirm a channel that nobody has reached."""
    channel = post.channel("email", seal(post, Mailbox("second@example.org")))
    mail.recipient = LIMIT
    sealed = AddressSealer.of(post.settings).seal("123456").decode()
    data = {"code": sealed, "minutes": 15, "label": "x"} if kind == "channel-code" else {}
    soon = datetime.now(UTC) + timedelta(seconds=55)
    delivery = post.message(kind, channel=channel, expires_at=soon, data=data)
    post.send_all()
    assert post.outcome(delivery) == ("dropped", "too-late")
    assert post.one("SELECT count(*) AS n FROM deliveries").n == 1


def test_a_message_that_never_expires_waits_for_days_and_not_for_ever(post: Post, mail: MailSink) -> None:
    channel = post.channel("email", seal(post, Mailbox("second@example.org")))
    old, new = post.message(channel=channel), post.message(channel=channel)
    post.do("UPDATE deliveries SET created_at = now() - :age WHERE id = :id", age=PATIENCE, id=old)
    mail.recipient = LIMIT
    post.send_all()
    assert [post.delivery(one).state for one in (old, new)] == ["failed", "pending"]
    assert off(post) == []
    assert post.one("SELECT channel FROM deliveries WHERE id NOT IN (:old, :new)", old=old, new=new).channel == "in_app"


def test_a_message_that_is_refused_goes_by_another_way_and_the_channel_stays(post: Post, mail: MailSink) -> None:
    channel = post.channel("email", seal(post, Mailbox("second@example.org")))
    big = post.message(channel=channel)
    mail.content = "552 5.3.4 Message size exceeds fixed limit"
    post.send_all()
    assert post.delivery(big).state == "failed"
    assert off(post) == []
    assert trouble(post) == {}
    assert [row.channel for row in post.all("SELECT channel FROM deliveries WHERE state = 'pending'")] == ["in_app"]


@pytest.mark.parametrize("settings_", [{"smtp_host": None}, {"from_email": "nobody"}, {"smtp_user": "alone"}])
def test_settings_of_ours_stop_nobodys_channel(post: Post, settings_: dict[str, Any]) -> None:
    post.settings = post.settings.model_copy(update=settings_)
    delivery = post.message(channel="email")
    send_due_now(post, rounds=8)
    assert (post.delivery(delivery).state, post.delivery(delivery).attempts) == ("pending", 0)
    assert list(trouble(post)) == ["email"]


@pytest.mark.parametrize(
    "kept",
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
def test_an_account_address_with_blanks_around_it_gets_mail(post: Post, mail: MailSink, kept: str) -> None:
    post.do("UPDATE users SET email = :email WHERE id = 2", email=kept)
    delivery = post.message(channel="email")
    post.send_all()
    assert post.delivery(delivery).state == "sent"
    assert [to for _id, to in mail.received] == ["2@example.org"]
    assert mail.messages[-1]["To"] == "2@example.org"


@pytest.mark.parametrize(
    "kept",
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
def test_what_is_no_address_brings_no_mail_to_anybody(post: Post, mail: MailSink, kept: str) -> None:
    if "\x00" in kept:
        kept = kept.replace("\x00", "\x7f")
    post.do("UPDATE users SET email = :email WHERE id = 2", email=kept)
    delivery = post.message(channel="email")
    post.send_all()
    assert post.delivery(delivery).state == "failed"
    assert mail.received == []


@pytest.mark.parametrize("registered", ["2@example.org", "2@EXAMPLE.org"])
def test_the_accounts_own_address_as_a_channel_means_one_mail(post: Post, mail: MailSink, registered: str) -> None:
    post.do("UPDATE users SET email = ' 2@Example.ORG' WHERE id = 2")
    channel = post.channel("email", seal(post, Mailbox(registered)))
    other = post.channel("email", seal(post, Mailbox("other@example.org")))
    ids = [post.message(channel=one, key="k") for one in (channel, "email", other)]
    post.send_all()
    assert [post.outcome(one) for one in ids] == [("dropped", "same-mailbox"), ("sent", None), ("sent", None)]
    assert sorted(to for _id, to in mail.received) == ["2@example.org", "other@example.org"]
    # Alone it is used.
    alone = post.message(channel=channel)
    post.send_all()
    assert post.outcome(alone) == ("sent", None)


def test_should_both_go_out_they_are_one_message(post: Post, mail: MailSink) -> None:
    """The account's own failed for good in the meantime, or the row came later: the Message-ID is the same."""
    channel = post.channel("email", seal(post, Mailbox("2@example.org")))
    post.message(channel="email", key="k")
    post.send_all()
    post.do("UPDATE deliveries SET state = 'failed'")
    post.message(channel=channel, key="k")
    post.send_all()
    first, second = mail.received
    assert first == second


def test_a_message_whose_mailbox_refuses_reaches_the_app_past_the_same_mailbox(post: Post) -> None:
    post.do("UPDATE users SET email = 'gone@example.org' WHERE id = 2")
    channel = post.channel("email", seal(post, Mailbox("gone@example.org")))
    post.prefer(fallback=[channel])
    ids = [post.message(channel=one, key="k") for one in (channel, "email")]
    post.send_all()
    post.send_all()
    assert [post.delivery(one).state for one in ids] == ["dropped", "failed"]
    assert post.one("SELECT state FROM deliveries WHERE key = 'k' AND channel = 'in_app'").state == "sent"


@pytest.mark.parametrize("kind", ["lesson-reminder", "recording-ready"])
@pytest.mark.parametrize("in_app_too", [True, False])
def test_what_is_wholly_inside_quiet_hours_is_found_in_the_app(
    post: Post, mail: MailSink, kind: str, in_app_too: bool
) -> None:
    now = datetime.now(UTC)
    start, end = ((now + timedelta(hours=hours)).time().replace(microsecond=0) for hours in (-2, 3))
    post.prefer(quiet_start=start, quiet_end=end, timezone="UTC", channels=["email"])
    lesson = post.lesson(timedelta(minutes=10))

    def order(channel: str) -> int:
        if kind == "lesson-reminder":
            return int(post.reminder(lesson, channel=channel))
        return int(post.message(kind, channel=channel, key="k", expires_at=now + timedelta(hours=1)))

    mailed = order("email")
    if in_app_too:
        order("in_app")
    post.send_all()
    post.send_all()
    assert post.outcome(mailed) == ("dropped", "quiet-hours")
    assert mail.received == []
    assert [row.kind for row in post.all("SELECT kind FROM notifications WHERE user_id = 2")] == [kind]


class Hook:
    """A webhook of somebody's on this machine: answers `status`, and counts."""

    def __init__(self, port: int) -> None:
        self.status = 404
        self.asked = 0
        self.url = f"https://localhost:{port}/hook"


@pytest.fixture
def hook(make_identity: MakeIdentity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hook]:
    """This process trusts its certificate for the test."""
    identity = make_identity(tmp_path, "localhost")
    webhook: Hook

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            webhook.asked += 1
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
def hooked(post: Post, hook: Hook) -> str:
    """A confirmed channel that leads there; the operator allows this machine."""
    here = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    post.settings = post.settings.model_copy(update={"webhook_allowed_networks": here})
    return str(post.channel("webhook", seal(post, Webhook(hook.url, new_webhook_secret()))))


def failures(post: Post, channel: str) -> Any:
    return post.one("SELECT * FROM notification_channels WHERE id = :id", id=int(channel))


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 500, 503])
def test_a_webhook_that_fails_for_a_day_is_switched_off_and_not_before(
    post: Post, hook: Hook, hooked: str, status: int
) -> None:
    hook.status = status
    first = post.message(channel=hooked)
    send_due_now(post, rounds=5)
    assert hook.asked == 5
    assert off(post) == []
    assert failures(post, hooked).failures == 5
    # The message itself has come by another way.
    assert post.delivery(first).state == "failed"
    assert post.one("SELECT count(*) AS n FROM deliveries WHERE channel = 'in_app'").n == 1

    post.do("UPDATE notification_channels SET failing_since = failing_since - interval '23 h'")
    post.message(channel=hooked)
    send_due_now(post)
    assert off(post) == []

    post.do("UPDATE notification_channels SET failing_since = failing_since - interval '1 h'")
    last = post.message(channel=hooked)
    send_due_now(post)
    assert off(post) == [int(hooked)]
    assert str(status) in failures(post, hooked).disabled_reason
    # The owner is told in the app how to switch it on again, and finds the messages there.
    send_due_now(post, rounds=2)
    assert post.delivery(last).state == "failed"
    assert post.one("SELECT count(*) AS n FROM notifications WHERE kind = 'recording-ready'").n == 3
    told = post.one("SELECT * FROM notifications WHERE kind = 'channel-disabled'")
    assert "new code" in told.message


def test_who_confirms_it_again_begins_with_no_failures(post: Post, hook: Hook, hooked: str) -> None:
    post.do(
        "UPDATE notification_channels SET failures = 9, failing_since = now() - interval '9 d', disabled_at = now(),"
        " disabled_reason = '404'"
    )
    vault = AddressSealer.of(post.settings)
    with post.database.transaction() as session:
        send_another_code(session, vault, 2, int(hooked), now=datetime.now(UTC))
    code = reveal_code(vault, post.one("SELECT data FROM deliveries").data)["code"]
    with post.database.transaction() as session:
        channel = find_channel(session, 2, int(hooked))
        assert confirm(vault, channel, code, now=datetime.now(UTC)) == "confirmed"
    hook.status = 404
    post.message(channel=hooked)
    send_due_now(post)
    assert off(post) == []
    # The code, too, could not be brought there.
    assert failures(post, hooked).failures == 2


def test_one_success_in_between_forgets_all_failures(post: Post, hook: Hook, hooked: str) -> None:
    post.message(channel=hooked)
    send_due_now(post, rounds=4)
    post.do("UPDATE notification_channels SET failing_since = failing_since - interval '2 days'")
    hook.status = 200
    send_due_now(post)
    assert (failures(post, hooked).failures, failures(post, hooked).failing_since) == (0, None)
    hook.status = 404
    post.message(channel=hooked)
    send_due_now(post, rounds=4)
    assert off(post) == []


def test_four_failures_over_a_week_are_too_few(post: Post, hook: Hook, hooked: str) -> None:
    post.message(channel=hooked)
    send_due_now(post)
    post.do("UPDATE notification_channels SET failing_since = failing_since - interval '7 days'")
    send_due_now(post, rounds=3)
    assert off(post) == []
    send_due_now(post)
    assert off(post) == [int(hooked)]


def test_a_webhook_that_is_gone_is_switched_off_at_once(post: Post, hook: Hook, hooked: str) -> None:
    hook.status = 410
    post.message(channel=hooked)
    send_due_now(post)
    assert (hook.asked, off(post)) == (1, [int(hooked)])


def test_too_many_requests_and_the_like_do_not_count(post: Post, hook: Hook, hooked: str) -> None:
    hook.status = 429
    post.message(channel=hooked)
    send_due_now(post, rounds=5)
    assert failures(post, hooked).failures == 0


@pytest.mark.parametrize("others_work", [False, True])
def test_nobody_answers_and_that_may_be_our_own_network(post: Post, hook: Hook, hooked: str, others_work: bool) -> None:
    """It counts only while others' webhooks take messages."""
    dead = post.channel("webhook", seal(post, Webhook("https://localhost:9/hook", new_webhook_secret())), user_id=3)
    if others_work:
        hook.status = 200
        post.message(channel=hooked)
        send_due_now(post)
    post.message(channel=dead, user_id=3)
    send_due_now(post, rounds=4)
    post.do("UPDATE notification_channels SET failing_since = failing_since - interval '2 days'")
    send_due_now(post)
    assert off(post) == ([int(dead)] if others_work else [])


def test_a_mailbox_that_is_full_for_days_stays(post: Post) -> None:
    channel = post.channel("email", seal(post, Mailbox("busy@example.org")))
    for _ in range(2):
        post.message(channel=channel)
        send_due_now(post, rounds=5)
    assert off(post) == []
    assert failures(post, channel).failures == 0


def test_keys_that_this_process_does_not_have_are_nobodys_fault(post: Post) -> None:
    delivery = post.message(channel=post.channel("email", b"sealed with another key"))
    send_due_now(post, rounds=6)
    assert post.outcome(delivery)[0] == "pending"
    assert off(post) == []
    with post.database.transaction() as session:
        assert session.execute(text("SELECT provider FROM provider_troubles")).scalar_one() == "email"


def after_the_rest(post: Post) -> None:
    """The same process, when it asks the server again."""
    for record in post.deliverer._breaker._failing.values():
        record.rest_until = 0.0
    post.do("UPDATE deliveries SET due_at = now() WHERE state = 'pending'")
    post.send_all()


UNKNOWN = ("550 5.1.1 no such user", "550 5.1.1 <x@y.example>: Recipient address rejected: User unknown")


@pytest.mark.parametrize("answer", UNKNOWN)
def test_a_relay_that_knows_nobody_switches_nothing_off(post: Post, mail: MailSink, answer: str) -> None:
    people = post.crowd(20)
    channels = [post.channel("email", seal(post, Mailbox(f"c{one}@example.org")), user_id=one) for one in people]
    ids = [post.message(channel=channel, user_id=one) for one, channel in zip(people, channels, strict=True)] + [
        post.message(channel="email", user_id=one) for one in people
    ]
    mail.recipient = answer

    for _ in range(3):
        after_the_rest(post)

    assert off(post) == []
    assert said_of_channels(post) == 0
    assert list(trouble(post)) == ["email"]
    # The first two have gone by another way, the others wait and are charged nothing.
    states = [post.delivery(one) for one in ids]
    assert sorted({(row.state, row.attempts) for row in states}) == [("failed", 1), ("pending", 0)]
    assert sum(row.state == "failed" for row in states) == MOST_UNKNOWN - 1

    mail.recipient = None
    after_the_rest(post)

    assert sum(post.delivery(one).state == "sent" for one in ids) == len(ids) - MOST_UNKNOWN + 1
    assert off(post) == []
    assert said_of_channels(post) == 0
    assert trouble(post) == {}


def test_who_is_gone_among_others_is_switched_off(post: Post, mail: MailSink) -> None:
    gone = post.channel("email", seal(post, Mailbox("gone@example.org")))
    for _ in range(5):
        post.message(channel=gone)
    post.send_all()
    # One recipient, however often.
    assert trouble(post) == {}
    assert off(post) == []
    post.message(channel="email", user_id=1)
    post.send_all()
    assert off(post) == [int(gone)]
    assert said_of_channels(post) == 1


def test_who_got_another_address_meanwhile_keeps_it(post: Post, mail: MailSink) -> None:
    channel = post.channel("email", seal(post, Mailbox("gone@example.org")))
    post.message(channel=channel)
    post.send_all()
    sealed = seal(post, Mailbox("new@example.org"))
    post.do("UPDATE notification_channels SET address = :address", address=sealed)
    post.message(channel="email", user_id=1)
    post.send_all()
    assert off(post) == []


def test_no_log_names_the_host_of_a_webhook(
    post: Post, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone:
        """A way out that refuses."""

        def __getattr__(self, name: str) -> Any:
            return getattr(post.deliverer._ways, name)

        def send(self, _delivery: Any, _said: Any) -> None:
            raise PermanentFailure("The host wants no more messages: 410.")

    address = "https://private-host.example/path"
    message = post.message(channel=post.channel("webhook", seal(post, Webhook(address, new_webhook_secret()))))
    with caplog.at_level("DEBUG"):
        post.send_all(post.new_deliverer(Gone()))
    assert post.delivery(message).state == "failed"
    # Another test of this process may have configured the logs.
    said = "".join([caplog.text, *capsys.readouterr()])
    assert "delivery_refused" in said
    assert "private-host" not in said
