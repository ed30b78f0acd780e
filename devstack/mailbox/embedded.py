"""The mailbox as a child process."""

from typing import ClassVar

from devstack.mailbox.addresses import Addresses
from devstack.self_announcing_server import SelfAnnouncingServer


class EmbeddedMailbox(SelfAnnouncingServer):
    """A mailbox on free ports of 127.0.0.1 with its mail under `root`; existing messages there are kept."""

    name: ClassVar = "mailbox"
    module: ClassVar = "devstack.mailbox"

    @property
    def addresses(self) -> Addresses:
        """The addresses at which it accepts and shows mail."""
        return Addresses.from_json(self.line)
