"""The expected errors: each has an HTTP status, a stable code, and says whether a retry may succeed."""

from typing import Any, ClassVar


class AstegniError(Exception):
    """Base of all expected errors.

    `code` is stable and kebab-case, `status` is the HTTP status, and `retryable` tells the ledger whether another
    attempt may succeed. `problem()` is the RFC 9457 document that the API returns and a failed job stores.
    """

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    # After this many equal failures in a row a job is not retried any more; None: all attempts are made, because the
    # cause may be an external service that recovers.
    equal_failures: ClassVar[int | None] = None

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members

    def problem(self) -> dict[str, Any]:
        """The problem document (RFC 9457) of this error; `members` are its extension members."""
        return problem(self.code, self.title, self.status, self.detail, **self.members)


def problem(code: str, title: str, status: int, detail: str, **members: Any) -> dict[str, Any]:
    """A problem document (RFC 9457 §3.1) with our `code` next to the standard members."""
    return {
        "type": f"urn:astegni:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        **members,
    }


class InvalidInput(AstegniError):
    """A value is invalid."""

    code, title, status = "invalid-input", "Invalid input", 422


class NotFound(AstegniError):
    """It does not exist, or the caller may not see it; the response does not distinguish the two."""

    code, title, status = "not-found", "Not found", 404


class Conflict(AstegniError):
    """The current state does not allow this."""

    code, title, status = "conflict", "Conflict", 409


class Unauthorized(AstegniError):
    """There is no token, or it cannot be trusted."""

    code, title, status = "unauthorized", "Unauthorized", 401


class Forbidden(AstegniError):
    """The caller is known and may see it, but may not do this."""

    code, title, status = "forbidden", "Forbidden", 403


class TooLarge(AstegniError):
    """The body is larger than the limit; the limit is in the detail."""

    code, title, status = "too-large", "Too large", 413


class TooManyRequests(AstegniError):
    """A person or an address has reached a limit: `limit` names it, `retry_after` is the number of seconds to wait."""

    code, title, status, retryable = "too-many-requests", "Too many requests", 429, True


class OutOfSpace(AstegniError):
    """The spool's disk does not have enough space."""

    code, title, status, retryable = "out-of-space", "Out of disk space", 507, True


class Unavailable(AstegniError):
    """A service that we need does not respond now."""

    code, title, status, retryable = "unavailable", "Service unavailable", 503, True


class Busy(AstegniError):
    """Another transaction has locked what this one needs; nothing was changed."""

    code, title, status, retryable = "busy", "Busy", 503, True


class Misconfigured(AstegniError):
    """A setting is missing or unsafe; the detail names it and says what to do."""

    code, title, status = "misconfigured", "Misconfigured", 500


class InvalidSetting(Misconfigured):
    """A setting of this process is missing, malformed or unsafe: only another value helps, no restart."""
