"""Services of apprise: none lets an address choose the host, none logs a token, and what they send arrives."""

import logging
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeIdentity
from worker.channels.apprise_services import SERVICES, check_service, send_apprise
from worker.channels.destinations import Mailbox, MessageService, Webhook
from worker.channels.errors import OurFault, PermanentFailure, TemporaryFailure
from worker.channels.masked_labels import label_of
from worker.channels.message import Message
from worker.errors import InvalidInput

TOKEN = "AAsecretsecretsecretsecretsecret123"
DIGITS = "123456789012345678"
GOOD = {
    "atalk": f"atalk://user@{TOKEN}/+251911223344",
    "discord": f"discord://{DIGITS}/{TOKEN}",
    "gchat": f"gchat://workspace/key/{TOKEN}",
    "pbul": f"pbul://{TOKEN}",
    "pover": f"pover://{'u' * 30}@{TOKEN[:30]}",
    "slack": f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN[:24]}/%23general",
    "tgram": f"tgram://123456789:{TOKEN}/4242421234",
    "twilio": f"twilio://AC{'a' * 32}:{'5ec2e7' * 5}ab@15551234567/15557654321",
    "vonage": f"vonage://ACaaaaaa:{TOKEN[:16]}@15551234567/15557654321",
}
HOSTS = {
    "atalk": "api.africastalking.com",
    "discord": "discord.com",
    "gchat": "chat.googleapis.com",
    "pbul": "api.pushbullet.com",
    "pover": "api.pushover.net",
    "slack": "hooks.slack.com",
    "tgram": "api.telegram.org",
    "twilio": "api.twilio.com",
    "vonage": "rest.nexmo.com",
}
# What a plugin may let an address name: never the host, nor a part of one.
HARMLESS = {
    *("schema", "appuser", "apikey", "targets", "webhook_id", "webhook_token", "botname", "workspace", "webhook_key"),
    *("thread_key", "accesstoken", "user_key", "token", "token_a", "token_b", "token_c", "access_token", "bot_token"),
    *("account_sid", "auth_token", "from_phone", "secret", "workflow_path"),
}


@dataclass
class InterceptingProxy:
    """Every host there is: a proxy that takes all connections, speaks TLS for the fixed hosts, and writes down."""

    context: ssl.SSLContext
    hosts: list[str] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    reply: bytes = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'

    def serve(self, plain: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += plain.recv(1)
        method, target, _ = head.split(b" ", 2)
        self.hosts.append(target.decode().removesuffix(":443"))
        if method != b"CONNECT":
            return
        plain.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with self.context.wrap_socket(plain, server_side=True) as connection:
            self.requests.append(connection.recv(65536))
            connection.settimeout(0.1)
            with suppress(TimeoutError):
                self.requests[-1] += connection.recv(65536)
            connection.settimeout(5)
            connection.sendall(self.reply)


@pytest.fixture
def proxy(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    make_identity: MakeIdentity,
) -> Iterator[InterceptingProxy]:
    """Nothing of it is ours to replace: `requests` reads these two variables."""
    proxy = InterceptingProxy(make_identity(tmp_path, *HOSTS.values(), "evil.example").server)
    ended = threading.Event()

    def accept(server: socket.socket) -> None:
        while not ended.is_set():
            with suppress(TimeoutError, OSError, ValueError):
                plain, _ = server.accept()
                with plain:
                    plain.settimeout(5)
                    proxy.serve(plain)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        thread = threading.Thread(target=accept, args=(server,))
        thread.start()
        for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.getsockname()[1]}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "certificate.pem"))
        try:
            yield proxy
        finally:
            ended.set()
            thread.join()


def test_every_service_is_tried_here() -> None:
    assert set(GOOD) == set(HOSTS) == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_no_template_has_a_host(name: str) -> None:
    plugin = SERVICES[name]
    named = {part for template in plugin.templates for part in re.findall(r"\{(\w+)\}", template)}

    assert named <= HARMLESS
    # Its own tokens, too: some plugins take more than their templates say.
    assert not {token for token in plugin.template_tokens if re.search("host|url|domain|port|server|region", token)}


@pytest.mark.parametrize("name", SERVICES)
def test_it_goes_to_the_fixed_host(proxy: InterceptingProxy, message: Message, name: str) -> None:
    with suppress(TemporaryFailure):
        send_apprise(MessageService(GOOD[name]), message)

    assert set(proxy.hosts) == {HOSTS[name]}


EVIL = "evil.example"


@pytest.mark.parametrize("name", SERVICES)
def test_no_address_changes_the_host(proxy: InterceptingProxy, message: Message, name: str) -> None:
    """Every place of every address, filled with another host: refused, or sent where it always goes."""
    scheme, _, rest = GOOD[name].partition("://")
    parts = re.split(r"([/@:])", rest)
    urls = [f"{scheme}://{EVIL}/{rest}", f"{scheme}://{rest}@{EVIL}", f"{scheme}://{EVIL}:443/{rest}"]
    others = [EVIL, f"{EVIL}%2F", f"%2F%2F{EVIL}%2F", f"..%2F..%2F{EVIL}", f"@{EVIL}", f"%40{EVIL}", f"x@{EVIL}:443"]
    for index in range(0, len(parts), 2):
        urls += [f"{scheme}://{''.join([*parts[:index], other, *parts[index + 1 :]])}" for other in others]
    for url in [GOOD[name], *urls]:
        try:
            check_service(url)
        except InvalidInput:
            continue
        with suppress(TemporaryFailure, PermanentFailure):
            send_apprise(MessageService(url), message)

    assert set(proxy.hosts) == {HOSTS[name]}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tgram",
        "tgram:",
        "tgram://",
        "tgram:///",
        "TGRAM://123456789:AAsecretsecretsecretsecretsecret123/4242",
        "json://127.0.0.1/",
        "jsons://127.0.0.1/",
        "xml://127.0.0.1/",
        "form://127.0.0.1/",
        "http://127.0.0.1/",
        "https://discord.com/api/webhooks/123456789012345678/secret",
        "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/secret",
        "file:///etc/passwd",
        "mailto://user:secret@127.0.0.1",
        "ntfy://127.0.0.1/topic",
        "gotify://127.0.0.1/secret",
        "matrix://127.0.0.1/secret",
        "mmost://127.0.0.1/secret",
        "syslog://",
        "dbus://",
        "windows://",
        "rsyslog://127.0.0.1",
        "exec://ls",
        "apprise://127.0.0.1/secret",
        "nexmo://a:secret@1/2",
        "python://secret",
        *(f"{url}?{query}" for url in GOOD.values() for query in ("verify=no", "template=/etc/passwd", "redirect=yes")),
        f"{GOOD['tgram']}/5555",
        f"{GOOD['atalk']}/+251911223345",
        "tgram://123456789:AAsecretsecretsecretsecretsecret123",
        "tgram://123456789:AAsecretsecretsecretsecretsecret123/",
        f"{GOOD['tgram']}\r\nX: secret",
        f"{GOOD['tgram']} ",
        f"{GOOD['tgram']}\x00",
        "tgram://ሰላም:secret/1",
        "tgram://1:" + "a" * 600 + "/1",
        "slack://secret/b",
        "discord://secret",
        "twilio://secret",
        GOOD["twilio"].rpartition("/")[0],
        GOOD["vonage"].rpartition("/")[0],
        "atalk://user@secretsecret/nobody",
        "vonage://secret@b",
    ],
)
def test_what_may_not_be_registered(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_service(url)

    assert "secret" not in str(refused.value.problem())
    assert refused.value.__cause__ is None
    with pytest.raises(PermanentFailure):
        send_apprise(MessageService(url), Message(kind="test", subject="s", text="t", id="x"))


def test_a_message_arrives(proxy: InterceptingProxy, message: Message) -> None:
    send_apprise(MessageService(GOOD["tgram"]), replace(message, subject="A <b>\r\n& {{ 7 * 7 }}"))

    [request] = proxy.requests
    assert request.startswith(f"POST /bot123456789:{TOKEN}/sendMessage HTTP/1.1".encode())
    assert b"4242421234" in request
    assert b"&lt;b&gt;" in request
    assert b"{{ 7 * 7 }}" in request


def test_a_redirect_is_not_followed(proxy: InterceptingProxy, message: Message) -> None:
    proxy.reply = b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n"
    for name in sorted(SERVICES):
        proxy.hosts.clear()
        with suppress(TemporaryFailure):
            send_apprise(MessageService(GOOD[name]), message)
        assert set(proxy.hosts) == {HOSTS[name]}


def http_reply(status: int, *headers: bytes, body: bytes = b"{}") -> bytes:
    lines = [b"HTTP/1.1 %d No" % status, b"Content-Length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


@pytest.mark.parametrize("name", SERVICES)
def test_a_receiver_who_is_gone(proxy: InterceptingProxy, message: Message, name: str) -> None:
    proxy.reply = http_reply(410, b"Content-Type: application/json")

    with pytest.raises(PermanentFailure, match="wants no more messages: 410") as refused:
        send_apprise(MessageService(GOOD[name]), message)

    assert TOKEN[:8] not in str(refused.value.problem())


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_receiver_who_may_be_gone(proxy: InterceptingProxy, message: Message, name: str, status: int) -> None:
    """The status tells it from a service that is down. It counts as a failure; a single one disables nothing."""
    proxy.reply = http_reply(status, b"Content-Type: application/json")

    with pytest.raises(TemporaryFailure, match=f"refuses the message: {status}") as refused:
        send_apprise(MessageService(GOOD[name]), message)

    assert (refused.value.counts, refused.value.alone) == (True, True)
    assert TOKEN[:8] not in str(refused.value.problem())


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("status", [302, 402, 407, 408, 429, 500, 502, 503])
def test_a_service_that_is_down(proxy: InterceptingProxy, message: Message, name: str, status: int) -> None:
    proxy.reply = http_reply(status, b"Retry-After: 7")

    with pytest.raises(TemporaryFailure) as later:
        send_apprise(MessageService(GOOD[name]), message)

    assert str(status) in later.value.reason
    assert later.value.alone is (status in (402, 429))
    assert later.value.retry_after == 7
    assert not later.value.counts
    assert isinstance(later.value, OurFault) is (status == 407)


def test_a_page_in_between_says_nothing_of_the_receiver(proxy: InterceptingProxy, message: Message) -> None:
    """A wall against robots refuses us all: nobody's channel is to blame."""
    proxy.reply = http_reply(403, b"Content-Type: text/html; charset=UTF-8", body=b"<h1>Blocked</h1>")

    with pytest.raises(TemporaryFailure, match="Discord did not take"):
        send_apprise(MessageService(GOOD["discord"]), message)


def test_one_answer_is_not_heard_by_the_next_message(proxy: InterceptingProxy, message: Message) -> None:
    proxy.reply = http_reply(404)
    with pytest.raises(TemporaryFailure):
        send_apprise(MessageService(GOOD["tgram"]), message)
    proxy.reply = InterceptingProxy.reply

    send_apprise(MessageService(GOOD["tgram"]), message)


def test_nothing_secret_is_logged(
    proxy: InterceptingProxy, message: Message, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("apprise", "urllib3", "urllib3.connectionpool", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)
    reasons = []
    for name, url in GOOD.items():
        for raw_reply in (proxy.reply, b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", b"rubbish"):
            proxy.reply = raw_reply
            try:
                send_apprise(MessageService(url), message)
            except (PermanentFailure, TemporaryFailure) as error:
                reasons.append((name, str(error.problem()), str(error.__cause__)))
        proxy.reply = InterceptingProxy.reply

    out, err = capfd.readouterr()
    log_text = caplog.text + str(reasons) + out + err
    assert len(proxy.hosts) >= len(GOOD) * 3
    for secret in (TOKEN[:16], "5ec2e7", "4242421234", "15557654321"):
        assert secret not in log_text


def test_others_are_logged_as_before(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="urllib3.connectionpool")

    logging.getLogger("urllib3.connectionpool").debug("of another client")

    assert "of another client" in caplog.text


def test_a_service_that_cannot_be_reached(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")

    with pytest.raises(TemporaryFailure):
        send_apprise(MessageService(GOOD["tgram"]), message)


@pytest.mark.parametrize("name", SERVICES)
def test_every_request_has_a_timeout(name: str) -> None:
    plugin = check_service(GOOD[name])

    assert plugin.request_timeout == (5.0, 10.0)
    assert plugin.verify_certificate is True
    assert plugin.redirects is False
    assert plugin.retry == 0


LABELS: list[tuple[Any, str]] = [
    (Mailbox("abebe.kebede@example.com"), "a…@example.com"),
    (Mailbox("a@" + "b" * 60 + "." + "c" * 60 + ".example"), "a…@…"),
    (Webhook("https://example.org/s3cret?token=s3cret", "whsec_s3cret"), "https://example.org/…"),
    (Webhook("https://example.org:8443/s3cret", "whsec_s3cret"), "https://example.org:8443/…"),
    (Webhook("https://" + "a" * 60 + "." + "b" * 60 + ".example", ""), "https://…"),
    (MessageService(GOOD["tgram"]), "Telegram …1234"),
    (MessageService(GOOD["atalk"]), "Africas Talking …3344"),
    (MessageService(GOOD["twilio"]), "Twilio …4321"),
    (MessageService(GOOD["discord"]), "Discord"),
    (MessageService(GOOD["pover"]), "Pushover"),
    (MessageService(GOOD["gchat"]), "Google Chat"),
]


@pytest.mark.parametrize(("destination", "label"), LABELS)
def test_what_is_shown(destination: Any, label: str) -> None:
    shown = label_of(destination)

    assert shown.startswith(label)
    assert len(shown) <= 100
    assert "s3cret" not in shown
    assert "secret" not in shown


@pytest.mark.parametrize("name", SERVICES)
def test_no_label_shows_a_token(name: str) -> None:
    assert TOKEN[:8] not in label_of(MessageService(GOOD[name]))
    assert TOKEN[-4:] not in label_of(MessageService(GOOD[name]))
