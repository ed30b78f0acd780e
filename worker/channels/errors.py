"""How sending fails: for now, or for good. Reasons are stored and shown, so they hold no secret and no address."""

from typing import ClassVar

from worker.errors import AstegniError


class TryLater(AstegniError):
    """It did not go out now, and the address is not to blame. `retry_after`: seconds that the receiver asks for.

    `alone`: the provider works, and would have taken another message: a full mailbox, one person's quota.
    """

    code: ClassVar[str] = "try-later"
    title: ClassVar[str] = "Not sent now"
    status: ClassVar[int] = 503
    retryable: ClassVar[bool] = True

    def __init__(self, reason: str, retry_after: float | None = None, *, alone: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.alone = alone


class Refused(AstegniError):
    """The receiver, or we, will never take it: the address is of no use any more."""

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused for good"
    status: ClassVar[int] = 422

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
