"""Mail addresses that are taken, and those that are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.channels.email_address import is_same_mailbox, read_mailbox, trimmed
from worker.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("abebe@example.com", "abebe@example.com"),
        ("Abebe.K+lessons@Example.COM", "Abebe.K+lessons@example.com"),
        ("a@ኢትዮጵያ.example", "a@xn--m0d3gwjla96a.example"),
        # By IDNA 2003 these were fass.de and strasse.de, which are other people's.
        ("a@faß.de", "a@xn--fa-hia.de"),
        ("a@Faß.DE", "a@xn--fa-hia.de"),
        ("a@straße.de", "a@xn--strae-oqa.de"),
        ("a@βόλος.example", "a@xn--nxasmm1c.example"),
        ("a@fu\u0308r.example", "a@xn--fr-xka.example"),
        ("o'brien@sub.example.co.uk", "o'brien@sub.example.co.uk"),
    ],
)
def test_good_ones(text: str, address: str) -> None:
    assert read_mailbox(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "a@",
        "@example.com",
        "a",
        "a@localhost",
        "root@127.0.0.1",
        "a@[127.0.0.1]",
        "a@1",
        "a@b@example.com",
        '"a b"@example.com',
        "a b@example.com",
        "a@exam ple.com",
        "a@example.com, b@example.com",
        "A <a@example.com>",
        "a@example.com\r\nBcc: b@example.com",
        "a\r\nRCPT TO:<b@example.com>@example.com",
        "a@example.com\n",
        "a\x00@example.com",
        "አበበ@example.com",
        # No name of IDNA 2008, though some programs turn them into another one.
        "a@ⓔxample.com",
        "a@☃.example",
        "a@a\u200bb.example",
        "a@xn--a.example\u3002evil",
        ".a@example.com",
        "a..b@example.com",
        "a@-example.com",
        "a@example..com",
        "a@.example.com",
        "a" * 65 + "@example.com",
        "a@" + "b." * 130 + "example",
        "a@" + "b" * 64 + ".example",
    ],
)
def test_bad_ones(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_mailbox(text)


def test_letters_outside_ascii_before_the_at_are_refused_in_words() -> None:
    with pytest.raises(InvalidInput, match="ASCII letters"):
        read_mailbox("አበበ@example.com")


@given(st.text(st.sampled_from(" \t\r\n\u00a0\u200b\ufeff\u200e"), max_size=8), st.text(st.sampled_from(" \n\u200f")))
def test_what_nobody_sees_around_an_address_is_taken_away(before: str, after: str) -> None:
    assert read_mailbox(trimmed(f"{before}abebe@example.com{after}")) == "abebe@example.com"


@pytest.mark.parametrize(
    "text", ["a b@example.com", "a@example.com\nBcc: b@example.com", "a\u200b@example.com", "\x00a@b.c"]
)
def test_what_is_inside_stays_and_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_mailbox(trimmed(text))


def test_one_mailbox() -> None:
    assert is_same_mailbox("Abebe.K@example.com", "abebe.k@example.com")
    assert not is_same_mailbox("abebek@example.com", "abebe.k@example.com")
