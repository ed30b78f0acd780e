"""The failures that a client can request with `X-Bz-Test-Mode` (Backblaze: integration checklist)."""

import itertools

from starlette.datastructures import Headers

from devstack.emulator.errors import B2Error


class Faults:
    """Backblaze fails at random; here every second call fails, so that a test can rely on it."""

    def __init__(self) -> None:
        self._uploads = itertools.count(1)
        self._authorizations = itertools.count(1)

    def maybe_fail_upload(self, headers: Headers) -> None:
        """`fail_some_uploads`: every second upload gets 503."""
        if _mode(headers) == "fail_some_uploads" and next(self._uploads) % 2:
            raise B2Error(503, "service_unavailable", "artificial failure requested by X-Bz-Test-Mode")

    def maybe_expire_token(self, headers: Headers) -> bool:
        """`expire_some_account_authorization_tokens`: every second token is issued expired."""
        if _mode(headers) != "expire_some_account_authorization_tokens":
            return False
        return next(self._authorizations) % 2 == 1

    def maybe_exceed_cap(self, headers: Headers, code: str) -> None:
        """`force_cap_exceeded`: a cap of the account is exceeded; `code` says which."""
        if _mode(headers) == "force_cap_exceeded":
            raise B2Error(403, code, "usage cap exceeded, as requested by X-Bz-Test-Mode")


def _mode(headers: Headers) -> str:
    return headers.get("x-bz-test-mode", "")
