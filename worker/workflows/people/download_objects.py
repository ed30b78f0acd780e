"""Download many objects one after another: a failure of Backblaze costs the objects that it concerns, not all."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from worker.errors import AstegniError
from worker.recordings.objects.object_faults import NamedObject
from worker.storage.errors import ChecksumMismatch, StorageFull, StorageRefused, StorageUnavailable
from worker.storage.store import ObjectStore

# In seconds, before each further attempt; each attempt of the store is three requests.
PAUSES = (5.0, 20.0, 60.0)
# After this many failures of Backblaze in a row the other objects are not tried: their timeouts could add up to days.
_MAX_IN_A_ROW = 3


@dataclass(frozen=True)
class NotDownloaded:
    """The name of an object that was not downloaded, and why."""

    name: str
    error: AstegniError


def download_objects(
    store: Callable[[], ObjectStore], objects: Sequence[NamedObject], path: Path, *, pauses: Sequence[float] = PAUSES
) -> Iterator[str | NotDownloaded]:
    """Download each object to `path`, from where the caller moves it, and yield its name, or why it is not there.

    Raises what `store` raises, which is called only if there are objects.
    """
    in_a_row = 0
    for each in objects:
        error = _download(store(), each, path, pauses) if in_a_row < _MAX_IN_A_ROW else _not_tried(each)
        in_a_row = in_a_row + 1 if isinstance(error, StorageUnavailable | StorageFull | StorageRefused) else 0
        yield each.name if error is None else NotDownloaded(each.name, error)


def _download(store: ObjectStore, wanted: NamedObject, path: Path, pauses: Sequence[float]) -> AstegniError | None:
    """Download the object; returns the error of the last attempt."""
    try:
        for pause in pauses:
            with suppress(StorageUnavailable, ChecksumMismatch):
                store.download(wanted.name, path, sha1=wanted.sha1)
                return None
            time.sleep(pause)
        store.download(wanted.name, path, sha1=wanted.sha1)
    except AstegniError as error:
        return error
    return None


def _not_tried(wanted: NamedObject) -> AstegniError:
    return StorageUnavailable(
        f"download of {wanted.name}: not tried, since Backblaze returned none of the {_MAX_IN_A_ROW} before it"
    )
