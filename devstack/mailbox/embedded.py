"""The mailbox as a child process."""

from typing import ClassVar

from devstack.mailbox.addresses import Addresses
from devstack.self_announcing_server import SelfAnnouncingServer


class EmbeddedMailbox(SelfAnnouncingServer):
    """A mailbox on free ports of 127.0.0.1 with its mail under `root`; messages that `root` holds already stay."""

    name: ClassVar = "mailbox"
    module: ClassVar = "devstack.mailbox"

    @property
    def addresses(self) -> Addresses:
        """Where it takes mail and shows it."""
        return Addresses.from_json(self.line)
