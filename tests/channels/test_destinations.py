"""The text form of destinations, which is stored: one for each kind of channel."""

import pytest

from models.states import CHANNEL_KINDS
from worker.channels.destinations import (
    Destination,
    Mailbox,
    MessageService,
    Webhook,
    from_text,
    kind_of,
    new_webhook_secret,
    to_text,
)

DESTINATIONS: tuple[Destination, ...] = (
    Mailbox("liya@example.org"),
    Webhook("https://hooks.example.org/", new_webhook_secret()),
    MessageService("tgram://token/chat"),
)


def test_every_kind_has_a_destination() -> None:
    assert sorted(map(kind_of, DESTINATIONS)) == sorted(CHANNEL_KINDS)


@pytest.mark.parametrize("destination", DESTINATIONS, ids=kind_of)
def test_a_destination_is_read_from_its_text(destination: Destination) -> None:
    assert from_text(to_text(destination)) == destination
