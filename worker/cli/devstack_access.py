"""devstack as commands use it: a distribution of its own, which a production image does not have."""

from collections.abc import Iterator
from contextlib import contextmanager

from worker.errors import AstegniError


class DevstackMissing(AstegniError):
    """The command needs devstack, which is not installed here."""

    code, title = "devstack-missing", "devstack is not installed"


class EmbeddedServerFailed(AstegniError):
    """A server of devstack did not start, or could not have its folder or port."""

    code, title = "embedded-server-failed", "Embedded server failed"


@contextmanager
def devstack_for(command: str) -> Iterator[None]:
    """Within the block devstack can be imported, and its expected errors become ours.

    Raises DevstackMissing where it is not installed, with what to do.
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
