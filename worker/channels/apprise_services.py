"""The apprise services that people may register: those whose host does not depend on the address.

Each plugin is used by its class, so that a crafted address reaches none of apprise's hundred other plugins.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, NoReturn

from apprise import Apprise, AppriseAsset
from apprise.common import NotifyFormat
from apprise.plugins.africas_talking import NotifyAfricasTalking
from apprise.plugins.discord import NotifyDiscord
from apprise.plugins.google_chat import NotifyGoogleChat
from apprise.plugins.pushbullet import NotifyPushBullet
from apprise.plugins.pushover import NotifyPushover
from apprise.plugins.slack import NotifySlack
from apprise.plugins.telegram import NotifyTelegram
from apprise.plugins.twilio import NotifyTwilio
from apprise.plugins.vonage import NotifyVonage

from worker import clock
from worker.channels.apprise_responses import record_responses_of, recorded_responses
from worker.channels.destinations import MessageService
from worker.channels.errors import OurFault, PermanentFailure, TemporaryFailure
from worker.channels.http_outcome import GONE, MOMENTARY, HttpOutcome
from worker.channels.message import Message, encodable, one_line
from worker.errors import InvalidInput

SERVICES: Mapping[str, Any] = MappingProxyType(
    {
        "atalk": NotifyAfricasTalking,
        "discord": NotifyDiscord,
        "gchat": NotifyGoogleChat,
        "pbul": NotifyPushBullet,
        "pover": NotifyPushover,
        "slack": NotifySlack,
        "tgram": NotifyTelegram,
        "twilio": NotifyTwilio,
        "vonage": NotifyVonage,
    }
)

# Without a receiver Telegram's plugin sends to the first person who wrote to the bot, telephone plugins to the sender.
_NAMES_RECEIVER = frozenset({"atalk", "tgram", "twilio", "vonage"})

_LONGEST = 500
_PRINTABLE = re.compile(r"[!-~]+", re.ASCII)
_CONNECT_TIMEOUT = 5.0
_READ_TIMEOUT = 10.0
# No redirects, nothing on disk, no retries by apprise, no text replaced by emoji.
_ASSET = AppriseAsset(
    app_id="Astegni",
    app_desc="Astegni",
    app_url="",
    http_redirects=False,
    storage_mode="memory",
    interpret_emojis=False,
    default_service_retry=0,
)
# Proxy Authentication Required, from our own proxy.
_OUR_PROXY = 407
# The account behind the address has to pay or has sent too much: temporary.
_TOO_MUCH = frozenset({402, 429})
_sending: ContextVar[bool] = ContextVar("sending_by_apprise", default=False)


class _AddressFilter(logging.Filter):
    """Drops records that may contain addresses with their tokens: apprise's, and urllib3's while apprise sends."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.name != "apprise" and not _sending.get()


for _plugin in SERVICES.values():
    record_responses_of(_plugin)
for _name in ("apprise", "urllib3.connectionpool"):
    logging.getLogger(_name).addFilter(_AddressFilter())


def check_service(url: str) -> Any:
    """The plugin for `url`, ready to send. Raises InvalidInput, which never repeats the address.

    `?` is refused, because apprise's parameters can turn off certificate checks, attach local files and redirect.
    More than one receiver is refused, because the confirmation code would reach all of them.
    """
    scheme, _, rest = url.partition("://")
    plugin = SERVICES.get(scheme)
    if plugin is None:
        raise InvalidInput(f"The services are {', '.join(f'`{name}://`' for name in SERVICES)}.")
    if len(url) > _LONGEST or not rest or not _PRINTABLE.fullmatch(url) or "?" in url:
        raise InvalidInput("The address of a service is at most 500 printable ASCII characters without `?`.")
    service = _make(plugin, url)
    if service is None or len(service) != 1 or (scheme in _NAMES_RECEIVER and not service.targets):
        raise InvalidInput(f"This is not an address of one receiver at {plugin.service_name}.")
    return service


def send_apprise(service: MessageService, message: Message) -> None:
    """Send subject and text.

    Raises PermanentFailure for an invalid address and for 410, OurFault when our proxy wants a password, else
    TemporaryFailure. Other 4xx of a service count against the channel: token and chat are both the person's own, and a
    blocked bot may be unblocked.
    """
    try:
        plugin = check_service(service.url)
    except InvalidInput as error:
        raise PermanentFailure(error.detail) from None
    sender = Apprise(asset=_ASSET)
    sender.add(plugin)
    token = _sending.set(True)
    try:
        with recorded_responses() as responses:
            sent = sender.notify(
                title=one_line(message.subject), body=encodable(message.text), body_format=NotifyFormat.TEXT
            )
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and its text may contain the address
        raise TemporaryFailure(f"{plugin.service_name} failed: {type(error).__name__}.") from None
    finally:
        _sending.reset(token)
    if not sent:
        _raise_for(str(plugin.service_name), responses)


def _raise_for(name: str, responses: Sequence[HttpOutcome]) -> NoReturn:
    """Raise the error that the first refusal among `responses` means."""
    refusal = next((outcome for outcome in responses if not outcome.is_good), None)
    if refusal is None:
        raise TemporaryFailure(f"{name} did not take the message.")
    status = refusal.status
    if status == GONE:
        raise PermanentFailure(f"{name} wants no more messages: {status}.")
    wait = refusal.wait(clock.now())
    if status == _OUR_PROXY:
        raise OurFault(f"A proxy between us and {name} wants a password: {status}.", wait)
    if 400 <= status <= 499 and status not in MOMENTARY | _TOO_MUCH:
        raise TemporaryFailure(f"{name} refuses the message: {status}.", wait, alone=True, counts=True)
    # Each address has its own token and quota, so these two statuses concern one person.
    raise TemporaryFailure(f"{name} does not take the message now: {status}.", wait, alone=status in _TOO_MUCH)


def _make(plugin: Any, url: str) -> Any:
    """An instance of the plugin, or None when it does not accept the address."""
    try:
        parsed = plugin.parse_url(url)
        if not parsed or parsed.get("qsd"):
            return None
        return plugin(**parsed, asset=_ASSET, cto=_CONNECT_TIMEOUT, rto=_READ_TIMEOUT)
    except Exception:  # noqa: BLE001 - hostile text meets parsers that raise anything: TypeError, IndexError, KeyError
        return None
