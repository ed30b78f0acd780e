"""A JSON call on its way to the function that answers it."""

from collections.abc import Callable
from dataclasses import dataclass

from devstack.emulator.access import Key
from devstack.emulator.documents import DocumentReader
from devstack.emulator.emulator import Emulator
from devstack.emulator.errors import Json
from devstack.emulator.parameters import Parameters


@dataclass(frozen=True)
class Call:
    """Who asks (`key`), for what (`parameters`), in which API version (1 to 4), at which `base_url`."""

    emulator: Emulator
    key: Key
    parameters: Parameters
    version: int
    base_url: str

    @property
    def reader(self) -> DocumentReader:
        """For whom the answer is."""
        return DocumentReader(self.emulator.account_id, self.key, self.version)


# Answers run in a thread of their own, never on the event loop: they may wait for the disk.
Answer = Callable[[Call], Json]
