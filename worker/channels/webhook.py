"""Send webhooks as Standard Webhooks specifies: signed, to a checked address; only the head of the response is read.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime

import h11

from worker import clock
from worker.channels.destinations import Webhook, signing_bytes
from worker.channels.egress import Deadline, EgressPolicy
from worker.channels.errors import PermanentFailure, TemporaryFailure, Unreachable
from worker.channels.http_outcome import GONE, MOMENTARY, HttpOutcome
from worker.channels.message import Message
from worker.channels.webhook_url import WebhookUrl
from worker.errors import InvalidInput

# Bytes of a response's head; its body is never read.
_MAX_HEAD = 16 * 1024


def send_webhook(webhook: Webhook, message: Message, outside: EgressPolicy) -> None:
    """POST `message` as `{"type", "timestamp", "data"}`; `data` also holds its `subject` and `text`.

    Raises PermanentFailure for 410 and for an address that may not be reached; else TemporaryFailure, since other
    refusals may be momentary: a deployment, an expired password.
    """
    now = clock.now()
    try:
        url = WebhookUrl.read(webhook.url)
    except InvalidInput as error:
        raise PermanentFailure(error.detail) from None
    body = _body(message, now)
    timestamp = int(now.timestamp())
    headers = {
        "Host": url.authority,
        "User-Agent": "astegni-worker",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "webhook-id": message.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(signing_bytes(webhook), message.id, timestamp, body),
    }
    raise_for_outcome("The host", _post(url, headers, body, outside), now)


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: `v1,` and HMAC-SHA256 of `id.timestamp.body`, base64."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def raise_for_outcome(who: str, outcome: HttpOutcome, now: datetime) -> None:
    """Return for a 2xx. Raises PermanentFailure for 410, else TemporaryFailure, which counts unless momentary."""
    status = outcome.status
    if outcome.is_good:
        return
    if status == GONE:
        raise PermanentFailure(f"{who} wants no more messages: 410.")
    if 300 <= status <= 399:
        raise TemporaryFailure(f"{who} answers with a redirect, which is not followed: {status}.", counts=True)
    reason = f"{who} does not take the message now: {status}."
    raise TemporaryFailure(reason, outcome.wait(now), counts=status not in MOMENTARY)


def _body(message: Message, now: datetime) -> bytes:
    data = {**message.data, "subject": message.subject, "text": message.text}
    # ASCII, because UTF-8 cannot encode lone surrogates.
    return json.dumps({"type": message.kind, "timestamp": now.isoformat(), "data": data}).encode("ascii")


def _post(url: WebhookUrl, headers: Mapping[str, str], body: bytes, outside: EgressPolicy) -> HttpOutcome:
    deadline = Deadline(outside.total_timeout)
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
    request = h11.Request(method="POST", target=url.target, headers=list(headers.items()))
    sent = b"".join(http.send(event) or b"" for event in (request, h11.Data(data=body), h11.EndOfMessage()))
    with closing(outside.connect(url, deadline)) as connection:
        try:
            connection.settimeout(deadline.left())
            connection.sendall(sent)
            while True:
                event = http.next_event()
                if isinstance(event, h11.Response):
                    return _outcome(event)
                if event is h11.NEED_DATA:
                    connection.settimeout(deadline.left())
                    http.receive_data(connection.recv(4096))
                elif not isinstance(event, h11.InformationalResponse):
                    raise Unreachable("The host closed the connection without an answer.")
        except h11.RemoteProtocolError:
            raise Unreachable("The host does not answer in HTTP.") from None
        except OSError as error:
            raise Unreachable(f"The host does not answer: {type(error).__name__}.") from None


def _outcome(response: h11.Response) -> HttpOutcome:
    values = [value for name, value in response.headers if name == b"retry-after"]
    return HttpOutcome(response.status_code, values[0].decode("latin-1") if values else None)
