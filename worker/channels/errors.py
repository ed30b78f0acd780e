"""How sending fails: for now, or for good. Reasons are stored and shown, so they hold no secret and no address."""

from typing import ClassVar

from worker.errors import AstegniError


class TemporaryFailure(AstegniError):
    """It did not go out now. `retry_after`: seconds that the receiver asks for.

    `alone`: the provider works, and would have taken another message: a full mailbox, one person's quota.
    `counts`: the receiver failed, which counts against the channel: several failures over a day switch it off.
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
    """Nobody answers at the receiver's end, or not as they should. It may also be our own network."""

    title: ClassVar[str] = "Not reachable now"

    def __init__(self, reason: str) -> None:
        super().__init__(reason, counts=True)


class OurFault(TemporaryFailure):
    """Our account, limit, settings or server is to blame, no recipient: messages wait, and operators are alarmed."""

    title: ClassVar[str] = "Our own provider does not send now"


class PermanentFailure(AstegniError):
    """No later attempt can succeed. `address_is_bad`: the address is of no use any more; else only this message is."""

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused for good"
    status: ClassVar[int] = 422

    def __init__(self, reason: str, *, address_is_bad: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.address_is_bad = address_is_bad


class UnknownRecipient(PermanentFailure):
    """A mail server does not know the recipient. One that is set up wrongly says so of everybody."""
