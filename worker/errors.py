"""The family of expected errors: each knows its HTTP status, its stable code and whether to try again."""

from typing import Any, ClassVar


class AstegniError(Exception):
    """Something expected went wrong.

    `code` is stable and kebab-case, `status` is the HTTP status, `retryable` tells the ledger whether another
    attempt can fix it. `problem()` is the RFC 9457 document shown by the API and kept on a failed job.
    """

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    # So many equal failures in a row end a job that would be tried again; None: all its attempts are made, because
    # it waits for something outside to come back.
    equal_failures: ClassVar[int | None] = None

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members

    def problem(self) -> dict[str, Any]:
        """The problem document (RFC 9457) of this error; `members` are its extension members."""
        return problem(self.code, self.title, self.status, self.detail, **self.members)


def problem(code: str, title: str, status: int, detail: str, **members: Any) -> dict[str, Any]:
    """A problem document (RFC 9457 §3.1) with our `code` beside the standard members."""
    return {
        "type": f"urn:astegni:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        **members,
    }


class InvalidInput(AstegniError):
    """A value is not what it must be."""

    code, title, status = "invalid-input", "Invalid input", 422


class NotFound(AstegniError):
    """It does not exist, or it is not the caller's: from outside the two look the same."""

    code, title, status = "not-found", "Not found", 404


class Conflict(AstegniError):
    """The thing is not in a state that allows this."""

    code, title, status = "conflict", "Conflict", 409


class Unauthorized(AstegniError):
    """No token, or one that cannot be trusted."""

    code, title, status = "unauthorized", "Unauthorized", 401


class Forbidden(AstegniError):
    """The caller is known, the thing is theirs to see, but not theirs to do."""

    code, title, status = "forbidden", "Forbidden", 403


class TooLarge(AstegniError):
    """The body is larger than the limit; the limit is in the detail."""

    code, title, status = "too-large", "Too large", 413


class TooManyRequests(AstegniError):
    """A person or an address has used up what one may do: `limit` names what, `retry_after` says when there is more."""

    code, title, status, retryable = "too-many-requests", "Too many requests", 429, True


class OutOfSpace(AstegniError):
    """The spool's disk cannot take the bytes."""

    code, title, status, retryable = "out-of-space", "Out of disk space", 507, True


class Unavailable(AstegniError):
    """A service that we need does not answer now."""

    code, title, status, retryable = "unavailable", "Service unavailable", 503, True


class Busy(AstegniError):
    """Another transaction holds what this one needs; nothing was changed."""

    code, title, status, retryable = "busy", "Busy", 503, True


class Misconfigured(AstegniError):
    """A setting is missing or unsafe; the detail names it and the remedy."""

    code, title, status = "misconfigured", "Misconfigured", 500
