"""Tokens as signed claims with an expiry: they need no storage and stay valid after a restart."""

import base64
import hashlib
import hmac
import json
import secrets
import time

from devstack.emulator.errors import B2Error, Json, bad_auth_token


class TokenSeal:
    """Seals claims into URL-safe tokens and opens them again; `secret` is the HMAC key."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def seal(self, kind: str, seconds: float, **claims: object) -> str:
        """A unique token of `kind` that is valid for `seconds`."""
        document = {**claims, "kind": kind, "until": time.time() + seconds, "nonce": secrets.token_hex(6)}
        payload = base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")
        return f"4_{payload}.{self._sign(payload)}"

    def open(self, token: str, *kinds: str) -> Json:
        """The claims in `token` and its `kind`; 401 when it is forged, expired, or of none of `kinds`."""
        payload, _, signature = token.removeprefix("4_").partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(payload).encode()):
            raise bad_auth_token()
        claims: Json = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if claims["kind"] not in kinds:
            raise bad_auth_token()
        if claims["until"] <= time.time():
            raise B2Error(401, "expired_auth_token", "The authorization token has expired")
        return claims

    def _sign(self, payload: str) -> str:
        return hmac.new(self._secret, payload.encode(), hashlib.sha256).hexdigest()[:40]
