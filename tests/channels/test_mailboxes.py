"""Mail addresses that are taken, and those that are not."""

import pytest

from worker.channels.mailboxes import read_mailbox
from worker.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("abebe@example.com", "abebe@example.com"),
        ("Abebe.K+lessons@Example.COM", "Abebe.K+lessons@example.com"),
        ("a@ኢትዮጵያ.example", "a@xn--m0d3gwjla96a.example"),
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
