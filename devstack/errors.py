"""What can go wrong with an embedded server, each with a text that names it and the remedy."""


class DevstackError(Exception):
    """An expected failure; `detail` is for a person to read."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class AlreadyInUse(DevstackError):
    """A folder or a port is taken by another process."""


class PackageMissing(DevstackError):
    """An optional package, which holds the server's program, is not installed."""


class StartupFailed(DevstackError):
    """A server did not start; the text names it and ends with the last lines of its log."""
