"""The objects that ready rows of recordings name, ordered by name."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.recordings import Rendition
from worker.database import Database
from worker.recordings.objects.object_faults import NamedObject

_PAGE = 1000
# By the bytes of the names, the order in which Backblaze lists them.
_ORDER = Rendition.object_name.collate("C")
_READY = select(
    Rendition.recording_id,
    Rendition.name,
    Rendition.object_name,
    Rendition.sha1,
    Rendition.bytes,
    Rendition.updated_at,
).where(Rendition.state == "ready", Rendition.object_name.is_not(None))


def objects_named(database: Database) -> Iterator[NamedObject]:
    """The objects of all recordings, one page per transaction. A row written meanwhile may be left out."""
    after = ""
    while True:
        with database.transaction() as session:
            page = _rows(session, _READY.where(after < _ORDER).limit(_PAGE))
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].name


def objects_named_by(session: Session, recording_id: int) -> list[NamedObject]:
    """The objects of one recording."""
    return _rows(session, _READY.where(Rendition.recording_id == recording_id))


def named_object(session: Session, name: str) -> NamedObject | None:
    """The row that names this object now, or None."""
    rows = _rows(session, _READY.where(Rendition.object_name == name))
    return rows[0] if rows else None


def _rows(session: Session, statement: Select[*tuple[Any, ...]]) -> list[NamedObject]:
    rows = session.execute(statement.order_by(_ORDER))
    return [NamedObject(*row) for row in rows]
