"""Webhooks to a real HTTPS server: signatures, responses, and every way into internal networks."""

import base64
import hashlib
import hmac
import itertools
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from tests.channels.conftest import Listener, Listening
from tests.conftest import Identity
from tests.waiting import TIMEOUT
from worker.channels.destinations import Webhook, new_webhook_secret, signing_bytes
from worker.channels.egress import Deadline, EgressPolicy
from worker.channels.errors import PermanentFailure, TemporaryFailure
from worker.channels.http_outcome import HttpOutcome
from worker.channels.message import Message
from worker.channels.registration import checked_destination
from worker.channels.webhook import raise_for_outcome, send_webhook, sign
from worker.channels.webhook_url import WebhookUrl
from worker.errors import InvalidInput
from worker.settings import Settings

HOST = "hooks.example.org"
HERE = (ip_network("127.0.0.0/8"),)
OK = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
PATH = "/path-with-a-s3cret?token=s3cret"

Resolve = Callable[[str, int], Sequence[str]]


def always(*addresses: str) -> Resolve:
    return lambda _host, _port: addresses


@pytest.fixture
def outside(identity: Identity) -> EgressPolicy:
    """It may go to this machine, as an operator may allow; every name is this machine's."""
    return EgressPolicy(allowed=HERE, resolve=always("127.0.0.1"), trust=identity.trusting, total_timeout=TIMEOUT)


Answering = Callable[..., AbstractContextManager[Listener]]


@pytest.fixture
def answering(identity: Identity, listening: Listening) -> Answering:
    """`with answering(b"HTTP/1.1 …") as listener:`; `listener.requests` holds the requests."""

    @contextmanager
    def start(answer: bytes | Callable[[ssl.SSLSocket], None]) -> Iterator[Listener]:
        def talk(listener: Any, plain: socket.socket) -> None:
            with identity.server.wrap_socket(plain, server_side=True) as connection:
                listener.requests.append(read_request(connection))
                if callable(answer):
                    answer(connection)
                else:
                    connection.sendall(answer)

        with listening(talk) as listener:
            yield listener

    return start


def read_request(connection: ssl.SSLSocket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(4096)
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length"))
    while len(body) < length:
        body += connection.recv(4096)
    return head + b"\r\n\r\n" + body


def webhook_to(port: int, host: str = HOST) -> Webhook:
    return Webhook(f"https://{host}:{port}{PATH}", new_webhook_secret())


def test_the_signature_is_the_one_of_the_specification() -> None:
    key = signing_bytes(Webhook("", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))

    signature = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_can_check_what_it_gets(answering: Answering, outside: EgressPolicy, message: Message) -> None:
    with answering(OK) as listener:
        webhook = webhook_to(listener.port)
        send_webhook(webhook, message, outside)

    [request] = listener.requests
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    assert first == f"POST {PATH} HTTP/1.1"
    assert headers["host"] == f"{HOST}:{listener.port}"
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == message.id
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 10
    signed = f"{message.id}.{headers['webhook-timestamp']}.".encode() + body
    expected = hmac.new(base64.b64decode(webhook.secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
    document = json.loads(body)
    assert document["type"] == "lesson-reminder"
    assert document["data"] == {"schedule_id": 5, "subject": message.subject, "text": message.text}
    assert datetime.fromisoformat(document["timestamp"]).tzinfo is not None


def test_hostile_words_stay_words(answering: Answering, outside: EgressPolicy, message: Message) -> None:
    hostile = 'A\r\nX-Evil: 1\r\n\r\n"}\x00\ud83d{{ 7 * 7 }}'
    with answering(OK) as listener:
        send_webhook(webhook_to(listener.port), replace(message, subject=hostile, text=hostile), outside)

    [request] = listener.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert b"Evil" not in head
    assert json.loads(body)["data"]["subject"] == hostile


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_good(answering: Answering, outside: EgressPolicy, message: Message, status: int) -> None:
    with answering(b"HTTP/1.1 %d Fine\r\nContent-Length: 0\r\n\r\n" % status) as listener:
        send_webhook(webhook_to(listener.port), message, outside)

    assert len(listener.requests) == 1


def test_no_for_good(answering: Answering, outside: EgressPolicy, message: Message) -> None:
    response = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
    with answering(response) as listener, pytest.raises(PermanentFailure, match="410") as refused:
        send_webhook(webhook_to(listener.port), message, outside)

    assert refused.value.address_is_bad


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 413, 422, 451])
def test_no_that_may_pass(answering: Answering, outside: EgressPolicy, message: Message, status: int) -> None:
    location = f"https://localhost:1/{PATH}".encode()
    response = b"HTTP/1.1 %d No\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (status, location)
    with answering(response) as listener, pytest.raises(TemporaryFailure, match=str(status)) as refused:
        send_webhook(webhook_to(listener.port), message, outside)

    assert refused.value.counts

    assert "s3cret" not in refused.value.reason
    assert listener.connections == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_no_for_now(answering: Answering, outside: EgressPolicy, message: Message, status: int) -> None:
    response = b"HTTP/1.1 %d No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n" % status
    with answering(response) as listener, pytest.raises(TemporaryFailure, match=str(status)) as later:
        send_webhook(webhook_to(listener.port), message, outside)

    assert later.value.retry_after == 7


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("120", 120),
        ("999999999999999999999999", 3600),
        ("-5", None),
        ("1e9", None),
        ("soon", None),
        ("²", None),
        ("", None),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60),
        ("Sun, 01 Mar 2026 12:01:00 -0000", 60),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
    ],
)
def test_how_long_to_wait_is_bounded(retry_after: str | None, seconds: float | None) -> None:
    with pytest.raises(TemporaryFailure) as later:
        raise_for_outcome(HOST, HttpOutcome(503, retry_after), NOW)

    assert later.value.retry_after == seconds


# --- answers that are none


def drip(connection: ssl.SSLSocket) -> None:
    """Without an end: that the sender returns at all shows its deadline."""
    while True:
        connection.sendall(b"H")
        time.sleep(0.05)


def drip_headers(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in itertools.count():
        connection.sendall(b"X-%d: y\r\n" % number)
        time.sleep(0.05)


def continue_for_ever(connection: ssl.SSLSocket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)


def flood(connection: ssl.SSLSocket) -> None:
    for _ in range(10_000):
        connection.sendall(b"X-Flood: " + b"x" * 4000)


def say_nothing(connection: ssl.SSLSocket) -> None:
    connection.recv(1)


@pytest.mark.parametrize("response", [drip, drip_headers, continue_for_ever, say_nothing])
def test_a_slow_answer_ends_at_the_deadline(
    answering: Answering, outside: EgressPolicy, message: Message, response: Any
) -> None:
    with answering(response) as listener, pytest.raises(TemporaryFailure):
        send_webhook(webhook_to(listener.port), message, replace(outside, total_timeout=0.6))


@pytest.mark.parametrize(
    "response",
    [
        flood,
        b"",
        b"\x00" * 50,
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
    ],
)
def test_no_answer_at_all(answering: Answering, outside: EgressPolicy, message: Message, response: Any) -> None:
    with answering(response) as listener, pytest.raises(TemporaryFailure):
        send_webhook(webhook_to(listener.port), message, outside)


def test_a_huge_body_is_never_read(answering: Answering, outside: EgressPolicy, message: Message) -> None:
    sent = []

    def answer(connection: ssl.SSLSocket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(10_000):
            connection.sendall(b"x" * 100_000)
            sent.append(100_000)

    with answering(answer) as listener:
        send_webhook(webhook_to(listener.port), message, outside)

    assert sum(sent) < 50_000_000


def test_a_listener_without_tls(listening: Listening, outside: EgressPolicy, message: Message) -> None:
    def talk(_listener: Any, connection: socket.socket) -> None:
        connection.recv(10)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with listening(talk) as listener, pytest.raises(TemporaryFailure, match="TLS"):
        send_webhook(webhook_to(listener.port), message, outside)


def test_a_handshake_that_never_ends(listening: Listening, outside: EgressPolicy, message: Message) -> None:
    def talk(_listener: Any, connection: socket.socket) -> None:
        while True:
            connection.sendall(b"\x16")
            time.sleep(0.05)

    with listening(talk) as listener, pytest.raises(TemporaryFailure):
        send_webhook(webhook_to(listener.port), message, replace(outside, total_timeout=0.5))


# --- whom it talks to


def test_a_certificate_of_another_name_is_not_trusted(
    answering: Answering, outside: EgressPolicy, message: Message
) -> None:
    with answering(OK) as listener:
        with pytest.raises(TemporaryFailure, match="certificate"):
            send_webhook(webhook_to(listener.port, "other.example.org"), message, outside)
        with pytest.raises(TemporaryFailure, match="certificate"):
            send_webhook(webhook_to(listener.port), message, replace(outside, trust=ssl.create_default_context()))

    assert listener.requests == []


INSIDE = [
    "127.0.0.1",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.168.0.1",
    "0.0.0.0",  # noqa: S104 - an address that is refused
    "::1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fe80::1",
    "fd00::1",
    "ff02::1",
]


@pytest.mark.parametrize(
    "addresses", [*((address,) for address in INSIDE), ("8.8.8.8", "10.0.0.1"), ("2606:4700::1111", "::1")]
)
def test_names_of_the_inside_are_refused(outside: EgressPolicy, message: Message, addresses: tuple[str, ...]) -> None:
    """Also when only one of several addresses is inside: which one is connected to would be up to chance."""
    strict = replace(outside, allowed=(), resolve=always(*addresses))

    with pytest.raises(PermanentFailure, match="may not reach"):
        send_webhook(Webhook(f"https://{HOST}{PATH}", new_webhook_secret()), message, strict)
    with pytest.raises(InvalidInput):
        checked_destination("webhook", f"https://{HOST}{PATH}", strict)


def test_nothing_is_sent_to_the_inside(answering: Answering, outside: EgressPolicy, message: Message) -> None:
    with answering(OK) as listener:
        with pytest.raises(PermanentFailure):
            send_webhook(webhook_to(listener.port), message, replace(outside, allowed=()))
        with pytest.raises(PermanentFailure):
            send_webhook(webhook_to(listener.port, "localhost"), message, EgressPolicy.of(Settings()))

    assert listener.connections == 0


@pytest.mark.parametrize("port", [22, 80, 444, 6379, 65535])
def test_other_ports_of_public_addresses_are_refused(outside: EgressPolicy, message: Message, port: int) -> None:
    public = replace(outside, resolve=always("8.8.8.8"))

    with pytest.raises(PermanentFailure, match="443 or 8443"):
        send_webhook(webhook_to(port), message, public)


def test_a_name_that_leads_elsewhere_the_second_time(
    answering: Answering, outside: EgressPolicy, message: Message
) -> None:
    """Rebinding: a resolver's second answer is never asked for, so what was checked is what is connected to."""
    lookups = []

    def rebinding(_host: str, _port: int) -> Sequence[str]:
        lookups.append(1)
        return ["127.0.0.1"] if len(lookups) == 1 else ["10.255.255.1"]

    with answering(OK) as listener:
        send_webhook(webhook_to(listener.port), message, replace(outside, resolve=rebinding))

    assert len(lookups) == 1
    assert len(listener.requests) == 1


def test_a_name_that_was_public_when_registered(answering: Answering, outside: EgressPolicy, message: Message) -> None:
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    rebinding = replace(outside, allowed=(), resolve=lambda _host, _port: next(answers))
    with answering(OK) as listener:
        webhook = checked_destination("webhook", f"https://{HOST}/", rebinding)
        assert isinstance(webhook, Webhook)
        with pytest.raises(PermanentFailure):
            send_webhook(webhook, message, rebinding)

    assert listener.connections == 0


def test_the_next_address_is_tried_when_one_does_not_answer(
    answering: Answering, outside: EgressPolicy, message: Message
) -> None:
    with answering(OK) as listener:
        send_webhook(webhook_to(listener.port), message, replace(outside, resolve=always("127.0.0.2", "127.0.0.1")))

    assert len(listener.requests) == 1


def test_a_name_that_does_not_resolve(outside: EgressPolicy, message: Message) -> None:
    def fail(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    for resolve in (fail, always()):
        with pytest.raises(TemporaryFailure, match="resolved"):
            send_webhook(webhook_to(443), message, replace(outside, resolve=resolve))
        with pytest.raises(InvalidInput):
            checked_destination("webhook", f"https://{HOST}/", replace(outside, resolve=resolve))


def test_a_resolver_that_takes_its_time(outside: EgressPolicy, message: Message) -> None:
    woken, resolved = threading.Event(), threading.Event()

    def slow(_host: str, _port: int) -> Sequence[str]:
        woken.wait(TIMEOUT)
        resolved.set()
        return ["127.0.0.1"]

    with pytest.raises(TemporaryFailure, match="resolved"):
        send_webhook(webhook_to(443), message, replace(outside, resolve=slow, connect_timeout=0.2))
    # The sender gave up while the resolver had still not answered.
    assert not resolved.is_set()
    woken.set()


def test_nobody_listens(outside: EgressPolicy, message: Message) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TemporaryFailure, match="reached"):
        send_webhook(webhook_to(port), message, outside)


def test_the_system_resolver_knows_localhost(outside: EgressPolicy) -> None:
    addresses = EgressPolicy(allowed=(*HERE, ip_network("::1/128")), trust=outside.trust).find(
        WebhookUrl.read("https://localhost:9/"), Deadline(5)
    )

    assert set(addresses) <= {"127.0.0.1", "::1"}


def test_an_address_that_was_kept_and_is_no_good_any_more(outside: EgressPolicy, message: Message) -> None:
    with pytest.raises(PermanentFailure) as refused:
        send_webhook(Webhook("http://example.com/s3cret", new_webhook_secret()), message, outside)

    assert "s3cret" not in refused.value.reason


def test_proxies_of_the_environment_are_not_asked(
    answering: Answering, outside: EgressPolicy, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with answering(OK) as listener:
        send_webhook(webhook_to(listener.port), message, outside)

    assert len(listener.requests) == 1


def test_nothing_secret_is_logged(
    answering: Answering, outside: EgressPolicy, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reasons = []
    for response in (OK, b"HTTP/1.1 404 No\r\n\r\n", b"HTTP/1.1 503 No\r\n\r\n", b"x"):
        with answering(response) as listener:
            webhook = webhook_to(listener.port)
            try:
                send_webhook(webhook, message, outside)
            except (PermanentFailure, TemporaryFailure) as error:
                reasons.append(error.problem())

    log_text = caplog.text + str(reasons) + repr(webhook)
    assert len(reasons) == 3
    assert "s3cret" not in log_text
    assert webhook.secret not in log_text


def test_an_operators_networks_come_from_the_settings() -> None:
    settings = Settings.model_validate({"webhook_allowed_networks": "10.1.0.0/16, fd12::/16"})

    assert EgressPolicy.of(settings).allowed == (ip_network("10.1.0.0/16"), ip_network("fd12::/16"))
    assert EgressPolicy.of(Settings()).allowed == ()
    assert timedelta(seconds=EgressPolicy.of(Settings()).total_timeout) < timedelta(seconds=60)
