"""What work in the background is done with: made once for each process by its door."""

from dataclasses import dataclass
from functools import cached_property

from worker.database import Database
from worker.media.binaries import Binaries, find_binaries
from worker.reminders.outgoing import Outgoing
from worker.reminders.sending import Deliverer, Manner
from worker.settings import Settings
from worker.storage.store import ObjectStore
from worker.uploads.spool import Spool


@dataclass
class Tools:
    """Everything is found on first use: a worker for quick jobs never needs an ffmpeg or a spool."""

    settings: Settings
    database: Database

    @cached_property
    def store(self) -> ObjectStore:
        """Backblaze B2, or the emulator. Raises Misconfigured without its settings."""
        return ObjectStore.from_settings(self.settings)

    @cached_property
    def spool(self) -> Spool:
        """The uploaded bytes."""
        return Spool(self.settings.spool_dir, reserve=self.settings.spool_reserve_bytes)

    @cached_property
    def binaries(self) -> Binaries:
        """ffmpeg and ffprobe."""
        return find_binaries(self.settings)

    @cached_property
    def deliverer(self) -> Deliverer:
        """Sends messages to people, and remembers which providers do not answer."""
        settings = self.settings
        manner = Manner(settings.delivery_lease, settings.timezone, settings.whiteboard_url)
        return Deliverer(self.database, Outgoing(settings), manner)
