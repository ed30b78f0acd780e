"""The B2 emulator as a child process, which prints how to reach it on standard output."""

from pathlib import Path
from typing import ClassVar

from devstack.emulator.credentials import Credentials
from devstack.emulator.store.bucket_records import DEFAULT_BUCKET
from devstack.errors import StartupFailed
from devstack.self_announcing_server import SelfAnnouncingServer


class EmbeddedB2(SelfAnnouncingServer):
    """A B2 emulator on a port of 127.0.0.1 (0: a free one) with a private `bucket`; objects and keys are under `root`.

    What `root` holds already, credentials included, is used again.
    """

    name: ClassVar = "b2"
    module: ClassVar = "devstack.emulator"

    def __init__(self, root: Path, *, log: Path | None = None, port: int = 0, bucket: str = DEFAULT_BUCKET) -> None:
        super().__init__(root, log=log, arguments=("--port", str(port), "--bucket", bucket))

    @property
    def credentials(self) -> Credentials:
        """The realm's URL, the master key and the bucket; raises StartupFailed when it printed something else."""
        try:
            return Credentials.from_json(self.line)
        except ValueError:
            # Not the line itself: it may hold the key.
            raise StartupFailed("The B2 emulator did not print its credentials as expected.") from None

    def start(self) -> None:
        """Start the emulator and wait until it has printed its credentials; raises StartupFailed."""
        super().start()
        try:
            _ = self.credentials
        except StartupFailed:
            self.stop()
            raise
