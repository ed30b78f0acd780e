"""Two independent parsers, Python's and one in Rust, read from a mail exactly what was written."""

import email
import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.policy import default as modern

import fast_mail_parser
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as how
from hypothesis import strategies as st

from tests.channels.conftest import SmtpTalk
from tests.waiting import TIMEOUT
from worker.channels.email import Mailer
from worker.channels.email_address import read_mailbox
from worker.channels.email_message import compose
from worker.channels.mail_server import MailServer
from worker.channels.message import Attachment, Message, one_line
from worker.errors import InvalidInput
from worker.settings import Settings

# No deadline: a busy machine is no fault.
CALM = how(deadline=None)
WORDS = [
    "የ",
    "ትምህርት",
    "ከAbebe",
    "መልካም፣",
    "፲፪",
    "Mathematics",
    "x" * 30,
    "x" * 75,
    "x" * 200,
    "መ" * 70,
    "&",
    "(Liya)",
    '"quoted"',
    "a\\b",
    "<b@c.example>",
    "=?utf-8?q?=41?=",
    "=?",
    "?=",
    "=41",
    "∠ABC ≅ ∠DEF",
    "👩\u200d👧\u200d👦",
    "e\u0301",
    "مرحبا",
    "数学",
    ",;:@",
    ".",
    "İ",
    "%41'x'",
]
LETTERS = st.characters(codec="utf-8")
TEXTS = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=25).map(" ".join),
    st.text(LETTERS, max_size=250),
    st.text(st.characters(codec="ascii"), max_size=250),
)
LINES = TEXTS.map(one_line).filter(bool)
LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)
DOMAINS = st.lists(LABELS, min_size=1, max_size=6).map(
    lambda labels: ".".join([*labels, "example"])[-253:].lstrip(".-")
)
LOCALS = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,31}(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,31})?", fullmatch=True)
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
PAGES = st.from_regex(r"https://[a-z]{1,20}\.example/[!-;=?-~]{0,850}", fullmatch=True)


def address(local: str, domain: str) -> str:
    """One that is taken; too long ones are cut."""
    try:
        return read_mailbox(f"{local}@{domain}")
    except InvalidInput:
        return f"{local[:60]}@short.example"


ADDRESSES = st.builds(address, LOCALS, DOMAINS)


def mail_of(
    subject: str = "s",
    name: str = "",
    sender: str = "no-reply@astegni.example",
    to: str = "liya@x.example",
    page: str | None = None,
    file: str | None = None,
    message_id: str = "1",
    text: str = "x",
) -> bytes:
    files = (Attachment(file, "text/calendar", b"BEGIN"),) if file is not None else ()
    message = Message("reminder", id=message_id, subject=subject, text=text, attachments=files)
    return compose(
        message, sender=Address(name, addr_spec=sender), to=to, now=datetime(2026, 5, 1, tzinfo=UTC), unsubscribe=page
    ).as_bytes()


def heads(raw: bytes) -> list[bytes]:
    """The lines of all headers, those of parts too."""
    boundary = re.search(rb'boundary="([^"]+)"', raw)
    parts = raw.split(b"--" + boundary[1] + b"\r\n") if boundary else [raw]
    return [line for part in parts for line in part.split(b"\r\n\r\n")[0].split(b"\r\n")]


def check_form(raw: bytes, *, unbroken: tuple[str, ...] = ()) -> None:
    """Seven bits, no bare CR or LF, 78 characters in a line unless it holds one of `unbroken`, and never over 998."""
    assert raw.isascii()
    assert not re.search(rb"[^\r]\n|\r[^\n]", raw)
    for line in heads(raw):
        assert line
        assert len(line) <= 998
        assert len(line) <= 78 or any(thing.encode() in line for thing in unbroken)
    assert max(map(len, raw.split(b"\r\n"))) <= 998


def plain(text: str) -> str:
    """Mail has its own ends of lines, and one at the end."""
    return text.replace("\r\n", "\n").rstrip("\n")


@CALM
@given(LINES)
@example(("የ" * 7 + " ") * 20 + "x" * 40)
@example("=?utf-8?q?A=0D=0ABcc=3A_evil=40example=2Ecom?=")
def test_subjects(subject: str) -> None:
    raw = mail_of(subject=subject)

    assert email.message_from_bytes(raw, policy=modern)["Subject"] == one_line(subject)
    assert fast_mail_parser.parse_email(raw).subject == one_line(subject)
    check_form(raw)


@CALM
@given(LINES.map(lambda line: line[:120].rstrip()), ADDRESSES)
@example("አስተግኒ የትምህርት መድረክ ለሁሉም ተማሪዎች", "no-reply@astegni.example")
@example("Astegni, Inc.", "a@b.example")
def test_the_name_and_address_that_it_comes_from(name: str, sender: str) -> None:
    raw = mail_of(name=name, sender=sender)

    [address] = email.message_from_bytes(raw, policy=modern)["From"].addresses
    assert (address.display_name, address.addr_spec) == (name, sender)
    read = fast_mail_parser.parse_email(raw).from_
    assert read is not None
    assert (read.display_name, read.address) == (name, sender)
    check_form(raw, unbroken=("=?utf-8?b?", sender.partition("@")[2], *name.split()))


@CALM
@given(ADDRESSES)
def test_the_address_that_it_goes_to(to: str) -> None:
    raw = mail_of(to=to)

    assert [recipient.addr_spec for recipient in email.message_from_bytes(raw, policy=modern)["To"].addresses] == [to]
    assert [recipient.address for recipient in fast_mail_parser.parse_email(raw).to] == [to]
    check_form(raw, unbroken=(to,))


@CALM
@given(IDS, ADDRESSES)
def test_message_ids_of_domains_of_any_length(message_id: str, sender: str) -> None:
    raw = mail_of(message_id=message_id, sender=sender)

    expected = f"<{message_id}@{sender.rpartition('@')[2]}>"
    assert email.message_from_bytes(raw, policy=modern)["Message-ID"] == expected
    assert fast_mail_parser.parse_email(raw).headers["Message-ID"] == [expected]
    # On one line with its name: some servers look no further.
    assert f"\r\nMessage-ID: {expected}\r\n".encode() in raw
    check_form(raw, unbroken=(expected, sender))


@pytest.mark.parametrize("length", range(1, 64))
def test_a_message_id_stays_on_its_line(length: int) -> None:
    raw = mail_of(message_id="0" * 32, sender=f"a@{'b' * length}.example")
    assert f"\r\nMessage-ID: <{'0' * 32}@{'b' * length}.example>\r\n".encode() in raw


@CALM
@given(PAGES)
@example("https://astegni.example/" + "a" * 60)
@example("https://astegni.example/?token=" + "=?utf-8?q?a?=" * 20)
def test_a_long_address_to_unsubscribe_is_never_encoded(page: str) -> None:
    assert Settings(unsubscribe_url=page).unsubscribe_url == page
    raw = mail_of(page=page)

    assert f"\r\nList-Unsubscribe: <{page}>\r\n".encode() in raw
    check_form(raw, unbroken=(page,))


@pytest.mark.parametrize(
    "page",
    [
        "javascript:x",
        "https://a.example/ b",
        "https://a.example/\r\nBcc: x@y",
        "https://መ.example",
        "https://a>",
        "a" * 901,
    ],
)
def test_what_cannot_stand_there_is_refused_at_the_start(page: str) -> None:
    with pytest.raises(ValueError, match="unsubscribe_url"):
        Settings(unsubscribe_url=page)


@CALM
@given(LINES)
@example("ሒሳብ " * 30 + ".ics")
@example("a'b%41.ics")
@example('"; filename="evil.exe')
def test_the_names_of_files(file: str) -> None:
    raw = mail_of(file=file)

    [part] = email.message_from_bytes(raw, policy=modern).iter_attachments()
    cleaned = file.translate(dict.fromkeys(map(ord, '"<>/\\|:*?'), "_"))
    assert part.get_filename() == cleaned
    assert [attachment.filename for attachment in fast_mail_parser.parse_email(raw).attachments] == [cleaned]
    check_form(raw)


@CALM
@given(st.text(LETTERS.filter(lambda letter: letter not in "\r\x00"), max_size=400))
@example(".\n..\n.x\n" * 3)
@example("x" * 1200)
@example("መ" * 400 + "\n" + "From someone")
def test_the_text(text: str) -> None:
    raw = mail_of(text=text)

    parts = fast_mail_parser.parse_email(raw).text_plain
    assert plain(email.message_from_bytes(raw, policy=modern).get_content()) == plain(text)
    assert plain("".join(parts)) == plain(text)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@how(CALM, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([".", "..", ".x", "", "QUIT", "መ", ". "]), min_size=1, max_size=8).map("\n".join))
def test_dots_come_through_a_mail_server_as_they_were(smtp_talk: SmtpTalk, text: str) -> None:
    with smtp_talk(mails_per_connection=1) as listener:
        server = MailServer("127.0.0.1", listener.port, Address("", "a", "b.example"), timeout=TIMEOUT)
        with Mailer(server) as mailer:
            mailer.send("liya@x.example", Message("reminder", id="1", subject=".", text=text))

    # The receiver takes away one dot of each line that begins with one (RFC 5321 §4.5.2).
    raw = b"\r\n".join(line.removeprefix(b".") for line in listener.requests[0].split(b"\r\n"))
    read = email.message_from_bytes(raw, policy=modern)
    assert (read["Subject"], plain(read.get_content())) == (".", plain(text))
