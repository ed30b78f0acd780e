"""Addresses are stored encrypted: Fernet under keys derived from SECRET_KEY."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from worker.channels.errors import OurFault
from worker.settings import Settings

_KEY_BYTES = 32
# HKDF's `info` (RFC 5869 §3.2): makes the keys for addresses and codes independent of each other and of the token key.
_ADDRESSES = b"astegni notification channels: addresses"
_CODES = b"astegni notification channels: codes"


class AddressSealer:
    """Encrypts with the first key and decrypts with any of them, so that SECRET_KEY can be rotated."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(urlsafe_b64encode(_derive(key, _ADDRESSES))) for key in keys])
        self._code_key = _derive(keys[0], _CODES)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The sealer with SECRET_KEY and SECRET_KEY_PREVIOUS."""
        return cls([settings.signing_key, *settings.previous_keys])

    def seal(self, text: str) -> bytes:
        """`text` encrypted and authenticated, different each time, in ASCII."""
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Decrypt what `seal` returned. Raises OurFault: this process has the wrong keys, the address is not bad."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise OurFault("The address cannot be read with SECRET_KEY; set SECRET_KEY_PREVIOUS.") from None

    def digest(self, text: str) -> str:
        """A keyed hash, hexadecimal: without the key, nobody can try the million possible codes."""
        return hmac.new(self._code_key, text.encode(), hashlib.sha256).hexdigest()


def _derive(key: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=purpose).derive(key.encode())
