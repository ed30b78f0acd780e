"""Server-side encryption: stored and returned, so that clients which request it work; nothing is encrypted."""

from collections.abc import Mapping

from devstack.emulator.errors import Json, bad_request

NO_ENCRYPTION: Json = {"mode": None, "algorithm": None}
_SSE_B2: Json = {"mode": "SSE-B2", "algorithm": "AES256"}
_HEADER = "x-bz-server-side-encryption"


def chosen_encryption(requested: Json | None, default: Json) -> Json:
    """The encryption of a request, or else the bucket's default. Customer-provided keys (SSE-C) are rejected."""
    if requested is None:
        return default
    mode = requested.get("mode")
    chosen = {"mode": None if mode == "none" else mode, "algorithm": requested.get("algorithm")}
    if chosen not in (NO_ENCRYPTION, _SSE_B2):
        raise bad_request("Server-side encryption must be none, or SSE-B2 with AES256.")
    return chosen


def encryption_from_headers(headers: Mapping[str, str], default: Json) -> Json:
    """The encryption of an upload, which requests it by headers, or else the bucket's default."""
    if any(name.startswith(f"{_HEADER}-customer") for name in headers):
        raise bad_request("Server-side encryption must be none, or SSE-B2 with AES256.")
    algorithm = headers.get(_HEADER)
    return chosen_encryption({"mode": "SSE-B2", "algorithm": algorithm} if algorithm else None, default)
