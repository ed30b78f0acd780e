"""How the rows of recordings and the objects on B2 differ. Pure functions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from worker.storage.objects import StoredObject


@dataclass(frozen=True)
class NamedObject:
    """An object that a ready row names; `sha1` and `bytes` are None when the row lacks them."""

    recording_id: int
    rendition: str
    name: str
    sha1: str | None
    bytes: int | None
    updated_at: datetime


@dataclass(frozen=True)
class ObjectFault:
    """An object that is `missing`, has the wrong `size` or `sha1`, or is an `orphan`, which no row names."""

    fault: str
    name: str
    recording_id: int | None
    detail: str


def pair_up(
    rows: Iterable[NamedObject], objects: Iterable[StoredObject]
) -> Iterator[tuple[NamedObject | None, StoredObject | None]]:
    """Pair rows and objects of the same name; None where one of the two is missing.

    Both must be ordered by the bytes of their names, as Backblaze lists them. Holds one of each at a time.
    """
    row_of, object_of = iter(rows), iter(objects)
    row, stored = next(row_of, None), next(object_of, None)
    while row is not None or stored is not None:
        if stored is None or (row is not None and row.name.encode() < stored.name.encode()):
            yield row, None
            row = next(row_of, None)
        elif row is None or stored.name.encode() < row.name.encode():
            yield None, stored
            stored = next(object_of, None)
        else:
            yield row, stored
            row, stored = next(row_of, None), next(object_of, None)


def fault_of(row: NamedObject, stored: StoredObject | None) -> ObjectFault | None:
    """What is wrong with the object of a row; None when it matches the row."""
    where = f"{row.rendition} of recording {row.recording_id}"
    if stored is None:
        return ObjectFault("missing", row.name, row.recording_id, f"{where} is not on B2")
    if row.bytes is not None and stored.size != row.bytes:
        detail = f"{where} has {stored.size} bytes on B2, not {row.bytes}"
        return ObjectFault("size", row.name, row.recording_id, detail)
    if row.sha1 is not None and stored.sha1 != row.sha1:
        detail = f"{where} has the SHA-1 {stored.sha1 or 'unknown'} on B2, not {row.sha1}"
        return ObjectFault("sha1", row.name, row.recording_id, detail)
    return None


def orphan(stored: StoredObject, recording_id: int | None) -> ObjectFault:
    """The fault of an object that no row names."""
    detail = f"no row names it; {stored.size} bytes since {stored.uploaded_at:%Y-%m-%d %H:%M} UTC"
    return ObjectFault("orphan", stored.name, recording_id, detail)
