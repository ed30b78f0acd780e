"""A JSON call as its handler gets it."""

from collections.abc import Callable
from dataclasses import dataclass

from devstack.emulator.access import Key
from devstack.emulator.api.documents import DocumentReader
from devstack.emulator.api.parameters import Parameters
from devstack.emulator.emulator import Emulator
from devstack.emulator.errors import Json


@dataclass(frozen=True)
class Call:
    """The caller's `key`, the `parameters`, the API version (1 to 4) and the `base_url` of the request."""

    emulator: Emulator
    key: Key
    parameters: Parameters
    version: int
    base_url: str

    @property
    def reader(self) -> DocumentReader:
        """What documents in the response depend on."""
        return DocumentReader(self.emulator.account_id, self.key, self.version)


# Handlers run in threads, not on the event loop: they may wait for the disk.
Handler = Callable[[Call], Json]
