"""Mail to real SMTP servers: correct ones, strict ones, and every kind of refusal."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default as modern
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import SecretStr

from tests.channels.conftest import Listening, SmtpTalk
from tests.conftest import Identity
from tests.waiting import TIMEOUT
from worker.channels.email import Mailer
from worker.channels.errors import OurFault, PermanentFailure, TemporaryFailure, Unconfirmed
from worker.channels.mail_server import MailServer
from worker.channels.message import Attachment, Message
from worker.errors import Misconfigured
from worker.settings import Settings

SENDER = Address("አስተግኒ፣ Astegni", addr_spec="no-reply@astegni.example")
PASSWORD = "a-password-that-nobody-may-see"


@dataclass
class MailHandler:
    """What a server got, and what it says to RCPT and to DATA."""

    got: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    recipient: str = "250 2.1.5 ok"
    content: str = "250 2.0.0 kept"
    sessions: set[int] = field(default_factory=set)
    encrypted: set[bool] = field(default_factory=set)

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _o: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.recipient.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.content.startswith("2"):
            assert isinstance(envelope.content, bytes)
            assert envelope.mail_from is not None
            self.got.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
            self.sessions.add(id(session))
            self.encrypted.add(session.ssl is not None)
        return self.content

    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(content, policy=modern) for *_, content in self.got]


class _Controller(Controller):
    """On a free port: the base class asks the port that it was given whether it is up."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd declares no types here


@contextmanager
def mail_server(handler: MailHandler, **options: Any) -> Iterator[int]:
    controller = _Controller(handler, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.fixture
def handler() -> MailHandler:
    return MailHandler()


def server_at(port: int, **options: Any) -> MailServer:
    return MailServer("localhost", port, SENDER, **{"timeout": 5.0, **options})


def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=(data.login, data.password) == (b"astegni", PASSWORD.encode()), handled=False)


def test_a_mail_says_it_in_text_and_html_with_a_calendar(handler: MailHandler, message: Message) -> None:
    with mail_server(handler) as port, Mailer(server_at(port, unsubscribe="https://astegni.example/me")) as mailer:
        mailer.send("abebe@example.com", message)

    [(sender, recipients, raw)] = handler.got
    [mail] = handler.mails()
    assert (sender, recipients) == ("no-reply@astegni.example", ["abebe@example.com"])
    assert raw.isascii()
    assert max(len(line) for line in raw.splitlines()) <= 998
    assert mail["From"].addresses[0].display_name == "አስተግኒ፣ Astegni"
    assert mail["Subject"] == "ሒሳብ ከ15 ደቂቃ በኋላ ይጀምራል"
    assert mail["Message-ID"] == "<0123456789abcdef0123456789abcdef@astegni.example>"
    assert mail["List-Unsubscribe"] == "<https://astegni.example/me>"
    assert mail["Date"].datetime.tzinfo is not None
    text, html, calendar = [part for part in mail.walk() if not part.is_multipart()]
    assert text.get_content().splitlines() == message.text.splitlines()
    assert "ሰላም <b>Abebe</b>" in html.get_content()
    assert calendar.get_content_type() == "text/calendar"
    assert calendar.get_filename() == "lesson.ics"
    assert calendar.get_payload(decode=True) == message.attachments[0].content


def test_the_same_message_has_the_same_id(handler: MailHandler, message: Message) -> None:
    with mail_server(handler) as port:
        for _ in range(2):
            with Mailer(server_at(port)) as mailer:
                mailer.send("abebe@example.com", message)

    first, second = handler.mails()
    assert first["Message-ID"] == second["Message-ID"]


def test_a_batch_goes_over_one_connection_past_a_refused_one(handler: MailHandler, message: Message) -> None:
    with mail_server(handler) as port, Mailer(server_at(port)) as mailer:
        mailer.send("a@example.com", message)
        handler.recipient = "550 5.1.1 no such user"
        with pytest.raises(PermanentFailure):
            mailer.send("b@example.com", message)
        handler.recipient = "250 ok"
        mailer.send("c@example.com", message)

    assert [to for _, to, _ in handler.got] == [["a@example.com"], ["c@example.com"]]
    assert len(handler.sessions) == 1


@pytest.mark.parametrize("stage", ["recipient", "content"])
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ("450 4.2.1 mailbox busy", TemporaryFailure),
        ("421 4.3.2 closing", TemporaryFailure),
        ("452 4.2.2 full", TemporaryFailure),
        ("550 5.1.1 <abebe@example.com> unknown", PermanentFailure),
        ("553 5.1.3 bad address", PermanentFailure),
        ("554 no", OurFault),
        ("550 5.4.5 Daily sending limit exceeded", OurFault),
        ("550 5.1.8 Sender address rejected", OurFault),
        ("504 5.5.2 need fully-qualified hostname", OurFault),
        ("550 5.7.1 relaying denied", OurFault),
        ("554 5.7.26 not authenticated", OurFault),
        ("530 5.7.0 must issue STARTTLS", OurFault),
    ],
)
def test_answers_are_told_apart(
    handler: MailHandler, message: Message, stage: str, reply: str, error: type[PermanentFailure | TemporaryFailure]
) -> None:
    setattr(handler, stage, reply)

    with (
        mail_server(handler) as port,
        Mailer(server_at(port)) as mailer,
        pytest.raises(error) as refused,
    ):
        mailer.send("abebe@example.com", message)

    assert isinstance(refused.value, PermanentFailure | TemporaryFailure)
    assert reply[:3] in refused.value.reason
    assert "abebe" not in refused.value.reason
    assert handler.got == []


@pytest.mark.parametrize(
    ("stage", "reply", "alone"),
    [
        ("recipient", "451 4.2.1 mailbox busy", True),
        ("recipient", "421 4.3.2 closing", False),
        ("recipient", "550 5.7.1 relaying denied", False),
        ("content", "452 4.3.1 no room", False),
    ],
)
def test_what_is_about_one_recipient_only(
    handler: MailHandler, message: Message, stage: str, reply: str, alone: bool
) -> None:
    setattr(handler, stage, reply)

    with mail_server(handler) as port, Mailer(server_at(port)) as mailer, pytest.raises(TemporaryFailure) as later:
        mailer.send("abebe@example.com", message)

    assert later.value.alone is alone


def test_tls_from_the_start_and_a_login(handler: MailHandler, message: Message, identity: Identity) -> None:
    with mail_server(handler, ssl_context=identity.server, authenticator=authenticate, auth_require_tls=False) as port:
        server = server_at(port, tls=True, context=identity.trusting, user="astegni", password=PASSWORD)
        with Mailer(server) as mailer:
            mailer.send("abebe@example.com", message)
        with Mailer(replace(server, password="wrong")) as mailer, pytest.raises(TemporaryFailure, match="535"):
            mailer.send("abebe@example.com", message)

    assert len(handler.got) == 1


def test_starttls_before_a_login(handler: MailHandler, message: Message, identity: Identity) -> None:
    options = {"tls_context": identity.server, "authenticator": authenticate, "auth_required": True}
    with mail_server(handler, **options) as port:
        server = server_at(port, context=identity.trusting, user="astegni", password=PASSWORD)
        with Mailer(server) as mailer:
            mailer.send("abebe@example.com", message)
        # Where it is offered it is used, password or not; a server that we cannot trust gets nothing.
        distrusting = replace(server, context=ssl.create_default_context())
        with Mailer(distrusting) as mailer, pytest.raises(TemporaryFailure, match="trusted"):
            mailer.send("abebe@example.com", message)

    assert handler.encrypted == {True}
    assert len(handler.got) == 1


def test_a_password_is_never_sent_in_the_clear(handler: MailHandler, message: Message) -> None:
    with (
        mail_server(handler, authenticator=authenticate, auth_require_tls=False) as port,
        Mailer(server_at(port, user="astegni", password=PASSWORD)) as mailer,
        pytest.raises(TemporaryFailure, match="in the clear") as refused,
    ):
        mailer.send("abebe@example.com", message)

    assert PASSWORD not in str(refused.value)
    assert handler.got == []


def test_a_login_that_the_server_does_not_take(handler: MailHandler, message: Message, identity: Identity) -> None:
    with (
        mail_server(handler, tls_context=identity.server) as port,
        Mailer(server_at(port, context=identity.trusting, user="astegni", password=PASSWORD)) as mailer,
        pytest.raises(TemporaryFailure, match="login"),
    ):
        mailer.send("abebe@example.com", message)


def test_a_kept_connection_that_was_closed_is_opened_again(message: Message, smtp_talk: SmtpTalk) -> None:
    """The server hangs up after each mail, as busy ones do; no mail is lost, none is sent twice."""
    with smtp_talk(mails_per_connection=1) as listener, Mailer(server_at(listener.port)) as mailer:
        for _ in range(3):
            mailer.send("abebe@example.com", message)

    assert len(listener.requests) == 3
    assert listener.connections == 3


def test_a_server_that_says_421_to_a_kept_connection(message: Message, smtp_talk: SmtpTalk) -> None:
    with (
        smtp_talk(mails_per_connection=1, farewell=b"421 4.4.2 idle\r\n") as listener,
        Mailer(server_at(listener.port)) as mailer,
    ):
        for _ in range(2):
            mailer.send("abebe@example.com", message)

    assert len(listener.requests) == 2


@pytest.mark.parametrize("greeting", [b"", b"421 busy\r\n", b"554 go away\r\n", b"\xff\xfe\r\n", b"SSH-2.0-x\r\n"])
def test_no_mail_server_at_all(message: Message, greeting: bytes, listening: Listening) -> None:
    def talk(_listener: Any, connection: socket.socket) -> None:
        connection.sendall(greeting)

    with listening(talk) as listener, Mailer(server_at(listener.port)) as mailer, pytest.raises(TemporaryFailure):
        mailer.send("abebe@example.com", message)


def test_a_silent_server_is_left(message: Message, listening: Listening) -> None:
    def talk(_listener: Any, connection: socket.socket) -> None:
        connection.recv(1)

    with (
        listening(talk) as listener,
        Mailer(server_at(listener.port, timeout=0.2)) as mailer,
        pytest.raises(TemporaryFailure, match="does not answer"),
    ):
        mailer.send("abebe@example.com", message)


@pytest.mark.parametrize("hangs_up", [True, False])
def test_a_server_that_has_the_content_and_does_not_confirm_it(
    message: Message, listening: Listening, hangs_up: bool
) -> None:
    def talk(_listener: Any, connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        for reply in ("220 ready", "250 ok", "250 ok", "250 ok", "354 go on"):
            connection.sendall(f"{reply}\r\n".encode())
            lines.readline()
        while lines.readline() not in {b".\r\n", b""}:
            pass
        if not hangs_up:
            lines.readline()

    seconds = TIMEOUT if hangs_up else 0.2
    with (
        listening(talk) as listener,
        Mailer(server_at(listener.port, content_timeout=seconds)) as mailer,
        pytest.raises(Unconfirmed),
    ):
        mailer.send("abebe@example.com", message)


def test_nobody_listens(message: Message) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with Mailer(server_at(port)) as mailer, pytest.raises(TemporaryFailure):
        mailer.send("abebe@example.com", message)


@pytest.mark.parametrize(
    "hostile",
    [
        "A\r\nBcc: evil@example.com",
        "A\nBcc: evil@example.com",
        "A\rBcc: evil@example.com",
        "A\x00\x0b\x0c\x1c\x85\u2028\u2029Bcc: evil@example.com",
        "A\r\n\r\n<script>alert(1)</script>",
        "=?utf-8?q?A=0D=0ABcc=3A_evil=40example=2Ecom?=",
        "=?utf-8?b?QQ0KQmNjOiBldmlsQGV4YW1wbGUuY29t?=",
        "=\x00?utf-8?q?A=0D=0ABcc=3A_evil=40example=2Ecom?=",
        "A\ud83d",
        "{{ 7 * 7 }}{% include '/etc/passwd' %}",
        "A" * 5000,
    ],
)
def test_names_bring_no_header(handler: MailHandler, message: Message, hostile: str) -> None:
    hostile_message = replace(
        message, subject=hostile, text=hostile, attachments=(Attachment(hostile, "text/calendar", b"x"),)
    )
    settings = Settings(smtp_host="127.0.0.1").model_copy(update={"from_name": hostile})
    with mail_server(handler) as port, Mailer(replace(MailServer.of(settings), port=port)) as mailer:
        mailer.send("abebe@example.com", hostile_message)

    [(_, recipients, raw)] = handler.got
    [mail] = handler.mails()
    assert recipients == ["abebe@example.com"]
    assert sorted(mail.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
    )
    assert len(mail["To"].addresses) == len(mail["From"].addresses) == 1
    assert "49" not in mail["Subject"]
    for head in (part for part in raw.split(b"\r\n\r\n") if b"Content-Type:" in part):
        assert not [line for line in head.splitlines() if line.lower().startswith(b"bcc")]


def test_a_line_of_one_dot_does_not_end_the_mail(handler: MailHandler, message: Message) -> None:
    text = "before\n.\nMAIL FROM:<evil@example.com>\n..after"
    with mail_server(handler) as port, Mailer(server_at(port)) as mailer:
        mailer.send("abebe@example.com", replace(message, text=text, html=None, attachments=()))

    [mail] = handler.mails()
    assert mail.get_content().splitlines() == text.splitlines()


@pytest.mark.parametrize("bad", ["", "a.b", "a b", "a\r\nX: y", "a@b", "ሰ", "a" * 65])
def test_an_id_is_plain(bad: str) -> None:
    with pytest.raises(ValueError, match="id"):
        Message(kind="test", subject="s", text="t", id=bad)


def test_settings_that_do_not_go_together() -> None:
    with pytest.raises(Misconfigured, match="SMTP_HOST"):
        MailServer.of(Settings())
    with pytest.raises(Misconfigured, match="SMTP_PASSWORD"):
        MailServer.of(Settings(smtp_host="mail.example").model_copy(update={"smtp_user": "a"}))
    for user, password in (("a", "pässword"), ("ä", "password")):
        with pytest.raises(Misconfigured, match="have only ASCII characters"):
            MailServer.of(Settings(smtp_host="mail.example", smtp_user=user, smtp_password=SecretStr(password)))
    assert MailServer.of(Settings(smtp_host="mail.example", smtp_port=465)).tls
    assert not MailServer.of(Settings(smtp_host="mail.example")).tls


def test_the_password_is_not_shown(handler: MailHandler) -> None:
    assert PASSWORD not in repr(server_at(25, user="astegni", password=PASSWORD))
    assert handler.got == []
