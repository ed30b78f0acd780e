"""Dependencies of background work, created once per process by its entry point."""

from dataclasses import dataclass
from functools import cached_property

from worker.database import Database
from worker.media.processes.binaries import Binaries, find_binaries
from worker.platform.connection import PlatformConnection
from worker.platform.people import PlatformPeople
from worker.platform.zone import PlatformZone
from worker.reminders.delivery.sender import BatchSender, SendPolicy
from worker.reminders.delivery.transports import Transports
from worker.settings import Settings
from worker.storage.store import ObjectStore
from worker.uploads.spool import Spool
from worker.workflows.own_bucket import own_store


@dataclass
class WorkerContext:
    """The dependencies, each created on first use: a worker for quick jobs never needs ffmpeg or a spool."""

    settings: Settings
    database: Database

    @cached_property
    def store(self) -> ObjectStore:
        """Backblaze B2, or the emulator. Raises Misconfigured without its settings, ForeignBucket for another's."""
        return own_store(self.settings, self.database)

    @cached_property
    def spool(self) -> Spool:
        """The uploaded bytes."""
        return Spool(self.settings.spool_dir, reserve=self.settings.spool_reserve_bytes)

    @cached_property
    def binaries(self) -> Binaries:
        """ffmpeg and ffprobe."""
        return find_binaries(self.settings)

    @cached_property
    def platform_connection(self) -> PlatformConnection | None:
        """The live platform's database; None without PLATFORM_DATABASE_URL."""
        url = self.settings.platform_database_url
        return None if url is None else PlatformConnection(url.get_secret_value())

    @cached_property
    def platform_zone(self) -> PlatformZone | None:
        """The zone of the platform's server, or why it is not proven; None without PLATFORM_DATABASE_URL."""
        connection = self.platform_connection
        return None if connection is None else PlatformZone(connection, self.settings.platform_timezone)

    @cached_property
    def platform_people(self) -> PlatformPeople | None:
        """The people of the live platform; None without PLATFORM_DATABASE_URL."""
        connection = self.platform_connection
        return None if connection is None else PlatformPeople(connection)

    @cached_property
    def batch_sender(self) -> BatchSender:
        """The sender of messages, which remembers which providers do not respond."""
        settings = self.settings
        policy = SendPolicy(settings.delivery_lease, settings.timezone, settings.whiteboard_url, settings.from_email)
        return BatchSender(self.database, Transports(settings), policy)
