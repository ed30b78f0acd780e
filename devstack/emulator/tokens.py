"""Tokens that we can check without having stored them: signed claims with an end, so they outlive a restart."""

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
        """A token of `kind` that holds for `seconds`; no two are alike."""
        document = {**claims, "kind": kind, "until": time.time() + seconds, "nonce": secrets.token_hex(6)}
        payload = base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")
        return f"4_{payload}.{self._sign(payload)}"

    def open(self, token: str, *kinds: str) -> Json:
        """The claims in `token` and its `kind`; 401 when it is forged, of none of `kinds`, or past its end."""
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
