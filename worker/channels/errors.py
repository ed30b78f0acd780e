"""How sending fails: temporarily, or permanently. Reasons are stored and shown, so they hold no secrets."""

from typing import ClassVar

from worker.errors import AstegniError


class TemporaryFailure(AstegniError):
    """Not sent now. `retry_after`: the delay in seconds that the receiver asks for.

    `alone`: only this recipient is affected (a full mailbox, one person's quota); the provider itself is healthy.
    `counts`: the receiver failed, which counts against the channel: several failures over a day disable it.
    """

    code: ClassVar[str] = "try-later"
    title: ClassVar[str] = "Not sent now"
    status: ClassVar[int] = 503
    retryable: ClassVar[bool] = True

    def __init__(
        self, reason: str, retry_after: float | None = None, *, alone: bool = False, counts: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.alone = alone
        self.counts = counts


class Unreachable(TemporaryFailure):
    """The receiver does not respond, or not by the protocol. Our own network may be the cause."""

    title: ClassVar[str] = "Not reachable now"

    def __init__(self, reason: str) -> None:
        super().__init__(reason, counts=True)


class OurFault(TemporaryFailure):
    """Caused by our account, limits, settings or server, not by a recipient: messages wait, and an alarm fires."""

    title: ClassVar[str] = "Our own provider does not send now"


class Unconfirmed(TemporaryFailure):
    """The server has the whole message and did not reply: it may have accepted it, so each attempt may be a copy."""

    title: ClassVar[str] = "Sent without a confirmation"


class PermanentFailure(AstegniError):
    """No later attempt can succeed. `address_is_bad`: the address is unusable; else only this message is refused."""

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused for good"
    status: ClassVar[int] = 422

    def __init__(self, reason: str, *, address_is_bad: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.address_is_bad = address_is_bad


class UnknownRecipient(PermanentFailure):
    """The mail server does not know the recipient. A misconfigured server says so of every recipient."""
