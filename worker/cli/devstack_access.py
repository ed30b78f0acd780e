"""Access to devstack for commands: it is a separate distribution, which production images lack."""

from collections.abc import Iterator
from contextlib import contextmanager

from worker.errors import AstegniError


class DevstackMissing(AstegniError):
    """The command needs devstack, which is not installed here."""

    code, title = "devstack-missing", "devstack is not installed"


class EmbeddedServerFailed(AstegniError):
    """A server of devstack did not start, or its folder or port was unavailable."""

    code, title = "embedded-server-failed", "Embedded server failed"


@contextmanager
def devstack_for(command: str) -> Iterator[None]:
    """Within the block devstack can be imported, and its expected errors are converted to ours.

    Raises DevstackMissing, with the remedy, when it is not installed.
    """
    try:
        from devstack.errors import DevstackError  # noqa: PLC0415 - a production image has none
    except ModuleNotFoundError:
        raise DevstackMissing(
            f"`{command}` needs the embedded servers of devstack, which are not installed here. "
            "Run `make install` in a checkout of the project, or name real servers in the environment and start "
            "`astegni api`, `astegni worker` and `astegni beat`."
        ) from None
    try:
        yield
    except DevstackError as error:
        raise EmbeddedServerFailed(error.detail) from error
