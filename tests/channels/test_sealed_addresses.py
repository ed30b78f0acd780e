"""Addresses at rest: unreadable without the key, readable through a rotation, never shown."""

import base64
import secrets

import pytest

from worker.channels.destinations import (
    Destination,
    Mailbox,
    MessageService,
    Webhook,
    from_text,
    new_webhook_secret,
    signing_bytes,
    to_text,
)
from worker.channels.errors import TemporaryFailure
from worker.channels.sealed_addresses import AddressSealer
from worker.settings import DEVELOPMENT_KEY, Settings

TOKEN = "tgram://123456789:AAbbCCdd/4242"


@pytest.mark.parametrize(
    "destination", [Mailbox("a@example.com"), Webhook("https://e.example/x", "s"), MessageService(TOKEN)]
)
def test_what_is_sealed_comes_back(destination: Destination) -> None:
    vault = AddressSealer(["one"])

    sealed = vault.seal(to_text(destination))

    assert from_text(vault.open(sealed)) == destination


def test_what_is_sealed_says_nothing() -> None:
    vault = AddressSealer(["one"])
    sealed = vault.seal(TOKEN)

    assert b"tgram" not in sealed
    assert b"tgram" not in base64.urlsafe_b64decode(sealed)
    assert vault.seal(TOKEN) != sealed


def test_a_replaced_key_still_reads_and_no_longer_writes() -> None:
    before, after = AddressSealer(["one"]), AddressSealer(["two", "one"])
    sealed = before.seal(TOKEN)

    assert after.open(sealed) == TOKEN
    with pytest.raises(TemporaryFailure):
        before.open(after.seal(TOKEN))


def test_another_key_or_a_changed_byte_reads_nothing() -> None:
    sealed = AddressSealer(["one"]).seal(TOKEN)

    for vault, wrong in (
        (AddressSealer(["two"]), sealed),
        (AddressSealer(["one"]), sealed[:-5] + b"AAAA="),
        (AddressSealer(["one"]), b""),
    ):
        with pytest.raises(TemporaryFailure) as refused:
            vault.open(wrong)
        assert "one" not in str(refused.value)
        assert refused.value.__cause__ is None


def test_codes_are_hashed_under_a_key() -> None:
    assert AddressSealer(["one"]).digest("5:123456") != AddressSealer(["two"]).digest("5:123456")
    assert AddressSealer(["one"]).digest("5:123456") == AddressSealer(["one", "two"]).digest("5:123456")
    assert len(AddressSealer(["one"]).digest("5:123456")) == 64


def test_keys_come_from_the_settings() -> None:
    new = secrets.token_hex(32)
    settings = Settings.model_validate({"secret_key": new, "secret_key_previous": "old, older"})

    assert AddressSealer.of(settings).open(AddressSealer(["older"]).seal(TOKEN)) == TOKEN
    assert AddressSealer.of(Settings()).open(AddressSealer([DEVELOPMENT_KEY]).seal(TOKEN)) == TOKEN
    assert "old" not in repr(settings)


def test_no_destination_shows_its_secret() -> None:
    secret = new_webhook_secret()
    shown = repr(Webhook("https://e.example/path-secret", secret)) + repr(MessageService(TOKEN))

    assert "path-secret" not in shown
    assert secret not in shown
    assert "AAbb" not in shown
    assert len(signing_bytes(Webhook("", secret))) == 32
