"""The embedded mailbox: real SMTP in, JSON out."""

import json
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.mailbox.embedded import EmbeddedMailbox
from devstack.mailbox.messages import UNREADABLE, envelope_lines, read_message
from devstack.mailbox.receiving import MAX_MESSAGE_SIZE
from devstack.mailbox.store import MessageStore
from tests.conftest import Gone, Starter
from tests.waiting import TIMEOUT

_STARTER = """
import sys, time
from pathlib import Path
from devstack.mailbox.embedded import EmbeddedMailbox
server = EmbeddedMailbox(Path(sys.argv[1]))
server.start()
print(server.process.pid, flush=True)
time.sleep(60)
"""
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HEAD = envelope_lines("a@example.org", ["b@example.org"], NOW)


class Mailbox:
    """A running mailbox, from both its sides."""

    def __init__(self, server: EmbeddedMailbox) -> None:
        self.server = server
        self.http = httpx.Client(base_url=server.addresses.url, trust_env=False)

    def send(self, message: EmailMessage | bytes, *recipients: str) -> None:
        where = self.server.addresses
        content = message if isinstance(message, bytes) else message.as_bytes(policy=SMTP)
        with smtplib.SMTP(where.smtp_host, where.smtp_port, timeout=TIMEOUT) as smtp:
            smtp.sendmail("no-reply@astegni.example", recipients or ("abebe@example.org",), content)

    def messages(self) -> list[dict[str, Any]]:
        mails: list[dict[str, Any]] = self.http.get("/messages").json()
        return mails


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMailbox]:
    with EmbeddedMailbox(tmp_path_factory.mktemp("mail") / "mail") as server:
        yield server


@pytest.fixture
def mailbox(server: EmbeddedMailbox) -> Iterator[Mailbox]:
    """An empty mailbox."""
    mailbox = Mailbox(server)
    with mailbox.http:
        assert mailbox.http.delete("/messages").status_code == 204
        yield mailbox


def new_message(subject: str = "ትምህርት: Mathematics", *, html: str = "<p>ሰላም</p>") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Astegni <no-reply@astegni.example>"
    message["To"] = "Abebe Kebede <abebe@example.org>"
    message["Subject"] = subject
    message["Date"] = NOW
    message["Message-ID"] = "<one@astegni.example>"
    message.set_content("Selam,\n.a line with a dot\nሰላም\n")
    message.add_alternative(html, subtype="html")
    message.add_attachment(b"BEGIN:VCALENDAR\r\n", maintype="text", subtype="calendar", filename='the "ሰላም" lesson.ics')
    return message


def test_a_message_is_kept_as_it_was_sent(mailbox: Mailbox) -> None:
    sent = new_message()
    mailbox.send(sent, "abebe@example.org", "hidden@example.org")

    (message,) = mailbox.messages()
    id_, received_at = message.pop("id"), datetime.fromisoformat(message.pop("received_at"))
    assert message == {
        "from": "Astegni <no-reply@astegni.example>",
        "to": ["abebe@example.org", "hidden@example.org"],
        "subject": "ትምህርት: Mathematics",
        "date": "2026-05-01T12:00:00+00:00",
        "message_id": "<one@astegni.example>",
        "text": "Selam,\n.a line with a dot\nሰላም\n",
        "html": "<p>ሰላም</p>\n",
        "attachments": [
            {
                "name": 'the "ሰላም" lesson.ics',
                "mime": "text/calendar",
                "bytes": 17,
                "url": f"/messages/{id_}/attachments/0",
            }
        ],
    }
    assert abs(datetime.now(UTC) - received_at) < timedelta(minutes=1)
    document = mailbox.http.get(f"/messages/{id_}").json()
    assert (document["message_id"], document["text"]) == (message["message_id"], message["text"])
    file = mailbox.http.get(message["attachments"][0]["url"])
    assert file.content == b"BEGIN:VCALENDAR\r\n"
    assert file.headers["content-disposition"].startswith("attachment;")
    assert file.headers["content-type"] == "application/octet-stream"
    raw = mailbox.http.get(f"/messages/{id_}/raw").content
    assert b"".join(raw.partition(b"From: ")[1:]) == sent.as_bytes(policy=SMTP)
    saved = mailbox.server.root / f"{id_:08}.eml"
    assert saved.read_bytes() == raw


def test_every_arrival_is_kept_and_doubles_can_be_seen(mailbox: Mailbox) -> None:
    for number in range(3):
        mailbox.send(new_message(f"number {number}"))

    messages = mailbox.messages()
    assert [message["subject"] for message in messages] == ["number 2", "number 1", "number 0"]
    assert [message["id"] - messages[2]["id"] for message in messages] == [2, 1, 0]
    assert {message["message_id"] for message in messages} == {"<one@astegni.example>"}


def test_what_is_not_there(mailbox: Mailbox) -> None:
    mailbox.send(new_message())
    id_ = mailbox.messages()[0]["id"]

    paths = (
        "/messages/999999",
        "/messages/999999/raw",
        f"/messages/{id_}/attachments/1",
        "/messages/999999/html",
        "/x",
    )
    assert {mailbox.http.get(path).status_code for path in paths} == {404}
    mailbox.http.delete("/messages")
    assert mailbox.http.get(f"/messages/{id_}").status_code == 404
    assert mailbox.messages() == []
    assert mailbox.http.get("/").json() == []
    mailbox.send(new_message())
    assert mailbox.messages()[0]["id"] == id_ + 1


def test_mail_cannot_become_a_page_of_ours(mailbox: Mailbox) -> None:
    evil = '<script>parent.location = "https://evil.example"</script>'
    message = new_message(f"Lesson {evil}", html=evil)
    message.add_attachment(evil.encode(), maintype="text", subtype="html", filename=f"{evil}.html")
    mailbox.send(message)
    mail = mailbox.messages()[0]

    for path in ("/", f"/messages/{mail['id']}"):
        assert mailbox.http.get(path).headers["content-type"] == "application/json"
    html = mailbox.http.get(f"/messages/{mail['id']}/html")
    assert html.text == f"{evil}\n"
    assert html.headers["content-security-policy"].startswith("sandbox; default-src 'none';")
    for attachment in mail["attachments"]:
        file = mailbox.http.get(attachment["url"])
        assert (file.headers["content-type"], file.headers["x-content-type-options"]) == (
            "application/octet-stream",
            "nosniff",
        )
    # Another site's name for our address.
    assert mailbox.http.get("/messages", headers={"Host": "evil.example"}).status_code == 400


def test_a_message_that_is_too_large_is_refused(mailbox: Mailbox) -> None:
    large = new_message()
    large.add_attachment(bytes(MAX_MESSAGE_SIZE), maintype="application", subtype="octet-stream", filename="large")

    with pytest.raises(smtplib.SMTPException, match="552"):
        mailbox.send(large)
    # One that does not say its size beforehand.
    where = mailbox.server.addresses
    with smtplib.SMTP(where.smtp_host, where.smtp_port, timeout=TIMEOUT) as smtp:
        smtp.helo()
        smtp.mail("a@example.org")
        smtp.rcpt("b@example.org")
        assert smtp.data(b"Subject: large\r\n\r\n" + (b"x" * 98 + b"\r\n") * (MAX_MESSAGE_SIZE // 100))[0] == 552
    assert mailbox.messages() == []
    mailbox.send(new_message())
    assert len(mailbox.messages()) == 1


def test_mail_outlives_a_restart_and_the_server_listens_on_loopback(tmp_path: Path) -> None:
    for count in (1, 2):
        with EmbeddedMailbox(tmp_path / "mail") as server:
            mailbox = Mailbox(server)
            with mailbox.http:
                mailbox.send(new_message())
                assert [message["id"] for message in mailbox.messages()] == list(range(count, 0, -1))
            assert server.addresses.smtp.startswith("127.0.0.1:")
            assert server.addresses.url.startswith("http://127.0.0.1:")
            process = server.process
        assert process is not None
        assert process.exit_code == 0


def test_it_dies_with_its_starter(tmp_path: Path, starter: Starter, gone: Gone) -> None:
    process = starter(_STARTER, tmp_path / "mail")
    pid = int(process.line())

    process.kill()

    assert gone(pid)


def test_chosen_ports_and_one_that_is_taken(server: EmbeddedMailbox, tmp_path: Path) -> None:
    port = str(server.addresses.smtp_port)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "devstack.mailbox", "--data", tmp_path / "mail", "--smtp-port", port, "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"mail-catcher: Nothing can listen on 127.0.0.1:{port}: Address already in use.")


def test_the_oldest_gives_way(tmp_path: Path) -> None:
    (tmp_path / "00000007.new").write_bytes(b"half")
    store = MessageStore(tmp_path, limit=3)
    for number in range(5):
        store.add(f"{number}".encode())

    assert [stored.content() for stored in store.all()] == [b"4", b"3", b"2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000003.eml", "00000004.eml", "00000005.eml"]
    again = MessageStore(tmp_path, limit=3)
    assert again.add(b"5") == 6
    assert [stored.id for stored in again.all()] == [6, 5, 4]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (b"Subject: =?utf-8?b?4Ym1?= x\r\n", {"subject": "ት x"}),
        (b"Subject: =?no-such-charset?q?x?=\r\n", {"subject": "=?no-such-charset?q?x?="}),
        (b"Subject: folded\r\n over two lines\r\n", {"subject": "folded over two lines"}),
        (b"Subject: \xff\xfe\r\n", {"subject": "\ufffd\ufffd"}),
        (b"Date: Mon, 99 Foo 20000 25:61:61 +9999\r\n", {"date": NOW.isoformat()}),
        (b"Date: Fri, 01 May 2026 15:00:00 +0300\r\n", {"date": NOW.isoformat()}),
        (b"Content-Type: text/plain; charset=no-such\r\n", {"text": "body\n"}),
        (b"Content-Type: text/plain; charset=a\x00b\r\n", {"text": "body\n"}),
        # Not ours, whatever it says: the envelope tells who got it.
        (b"Delivered-To: evil@example.org\r\n", {"to": ["b@example.org"]}),
    ],
)
def test_badly_written_headers(headers: bytes, expected: dict[str, Any]) -> None:
    document = read_message(HEAD + headers + b"\r\nbody\r\n").document(1, NOW)

    assert {name: document[name] for name in expected} == expected


def test_parts_without_end() -> None:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (number, number) for number in range(3000)
    )

    assert read_message(HEAD + deep).subject == UNREADABLE


_WORDS = st.sampled_from(
    [
        *(
            b"Subject: ",
            b"=?utf-8?b?",
            b"?=",
            b"\r\n",
            b"\r\n\r\n",
            b"Content-Type: ",
            b"multipart/mixed",
            b"text/html",
        ),
        *(b"; boundary=x", b"--x", b"; charset=", b"utf-16", b"hex", b"unicode_escape", b"Date: ", b"From: ", b"%FF;"),
        *(b"Content-Disposition: attachment; filename*0*=utf-9''%FF;", b"filename*=", b'"', b"\x00", b"message/rfc822"),
    ]
)


@given(st.lists(_WORDS | st.binary(max_size=8), max_size=40))
def test_whatever_comes_can_be_shown(words: list[bytes]) -> None:
    document = read_message(HEAD + b"".join(words)).document(1, NOW)

    assert json.loads(json.dumps(document)) == document
    for name in ("subject", "from", "text", "html"):
        document[name].encode()
