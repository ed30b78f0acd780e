"""Addresses of webhooks: what two programs could read differently is refused, and no refusal repeats it."""

import pytest

from worker.channels.webhook_url import WebhookUrl
from worker.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://example.com/hook", WebhookUrl("example.com", 443, "/hook")),
        ("https://Example.COM", WebhookUrl("example.com", 443, "/")),
        ("https://example.com:8443/a?b=c&d", WebhookUrl("example.com", 8443, "/a?b=c&d")),
        ("https://example.com?b", WebhookUrl("example.com", 443, "/?b")),
        ("https://xn--p1ai.example/%E1%88%80", WebhookUrl("xn--p1ai.example", 443, "/%E1%88%80")),
        ("https://platform:9000/", WebhookUrl("platform", 9000, "/")),
    ],
)
def test_good_ones(text: str, url: WebhookUrl) -> None:
    assert WebhookUrl.read(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "http://example.com/s3cret",
        "ftp://example.com/s3cret",
        "//example.com/s3cret",
        "example.com/s3cret",
        "https:/s3cret",
        "https:///s3cret",
        "https://user:s3cret@example.com/",
        "https://example.com@127.0.0.1/s3cret",
        "https://@example.com/s3cret",
        "https://example.com\\@127.0.0.1/s3cret",
        "https://example.com/\\s3cret",
        "https://example.com/#s3cret",
        "https://example.com#@127.0.0.1/s3cret",
        "https://127.0.0.1/s3cret",
        "https://8.8.8.8/s3cret",
        "https://127.1/s3cret",
        "https://2130706433/s3cret",
        "https://0x7f000001/s3cret",
        "https://0x7f.0.0.1/s3cret",
        "https://0177.0.0.01/s3cret",
        "https://017700000001/s3cret",
        "https://example.0x/s3cret",
        "https://①②⑦.0.0.1/s3cret",
        "https://127.0.0.1./s3cret",
        "https://example.com./s3cret",
        "https://[::1]/s3cret",
        "https://[::ffff:127.0.0.1]/s3cret",
        "https://[fe80::1%25eth0]/s3cret",
        "https://exa mple.com/s3cret",
        "https://example.com/s3\r\ncret: 1",
        "https://example.com\t/s3cret",
        "https://example.com\n.evil.example/s3cret",
        " https://example.com/s3cret",
        "https://example.com/s3cret\x00",
        "https://example.com/ሰላም-s3cret",
        "https://ሰላም.example/s3cret",
        "https://-example.com/s3cret",
        "https://example..com/s3cret",
        "https://.example.com/s3cret",
        "https://%6c%6fcalhost/s3cret",
        "https://example.com:0/s3cret",
        "https://example.com:99999/s3cret",
        "https://example.com:-1/s3cret",
        "https://example.com:٤٤٣/s3cret",
        "https://" + "a." * 130 + "example/s3cret",
        "https://example.com/s3cret" + "a" * 2000,
        "",
    ],
)
def test_bad_ones(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        WebhookUrl.read(text)

    assert "s3cret" not in str(refused.value.problem())
