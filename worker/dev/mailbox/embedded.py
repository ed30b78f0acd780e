"""The mailbox as a process of its own."""

from typing import ClassVar

from pydantic import TypeAdapter

from worker.dev.mailbox.addresses import Addresses
from worker.dev.self_announcing_server import IntroducedServer

_ADDRESSES = TypeAdapter(Addresses)


class EmbeddedMailbox(IntroducedServer):
    """A mailbox on free ports of 127.0.0.1 with its mail under `root`; what is already there stays."""

    name: ClassVar = "mailbox"
    command = ("mailbox", "serve")

    @property
    def addresses(self) -> Addresses:
        """Where it takes mail and shows it."""
        return _ADDRESSES.validate_json(self.line)
