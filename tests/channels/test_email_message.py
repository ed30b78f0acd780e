"""The subject of a mail, as other readers of mail decode it."""

import email
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.policy import default as modern

from hypothesis import given
from hypothesis import strategies as st

from worker.channels.email_message import compose
from worker.channels.message import Message

_WORDS = [
    "የ",
    "ትምህርት",
    "ከAbebe",
    "Kebede",
    "ጋር",
    "ከ19",
    "ደቂቃ",
    "በኋላ",
    "ይጀምራል",
    "Physics",
    "&",
    "(Liya)",
    "x" * 30,
]


@given(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=22).map(" ".join))
def test_words_stay_apart_however_long_it_is(subject: str) -> None:
    message = Message("reminder", id="1", subject=subject, text="x")
    mail = compose(
        message, sender=Address("Astegni", "no-reply", "astegni.example"), to="liya@x.example", now=datetime.now(UTC)
    ).as_bytes()

    header = mail.split(b"\r\n\r\n")[0]
    assert max(map(len, header.split(b"\r\n"))) <= 78
    assert str(email.message_from_bytes(mail, policy=modern)["subject"]) == subject
    # The older parser leaves the folding to its caller (RFC 5322 §2.2.3).
    unfolded = email.message_from_bytes(mail)["subject"].replace("\r\n", "")
    assert str(make_header(decode_header(unfolded))) == subject
