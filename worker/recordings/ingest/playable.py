"""The result of making a recording playable, and the programs, store and limits of an ingest."""

from dataclasses import dataclass
from pathlib import Path

from worker.media.copying.fast_copy import Copy
from worker.media.limits import Limits
from worker.media.pictures.poster import Poster
from worker.media.probing.playable import PlayableForm
from worker.media.probing.probe import Probe
from worker.media.probing.repairs import Repair
from worker.media.processes.binaries import Binaries
from worker.storage.objects import StoredObject
from worker.storage.store import ObjectStore


@dataclass(frozen=True)
class Playable:
    """The result of an ingest: the fast copy on B2, its poster (None without a picture), and the properties of both."""

    source: Probe
    copy: Copy
    form: PlayableForm
    mime: str
    playback: StoredObject
    poster: StoredObject | None
    still: Poster | None
    repairs: tuple[Repair, ...]
    # How many pictures were decoded to check that it plays.
    decoded_pictures: int


@dataclass(frozen=True)
class IngestContext:
    """The programs, store, folder and limits of one ingest."""

    binaries: Binaries
    store: ObjectStore
    folder: Path
    limits: Limits


@dataclass(frozen=True)
class StoredPoster:
    """A poster on B2, and the picture it shows."""

    stored: StoredObject
    still: Poster
