"""The rows of snapshots: the latest of each format, whatever order jobs finish in."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, column, delete, select, table, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.snapshots import Snapshot
from worker.canvases.snapshots.names import SnapshotTarget
from worker.storage.objects import StoredObject

_PAGES = table("board_pages", column("id"), column("page_number"))
# Prevents deletion of the referenced rows until the transaction ends.
_LOCK_BOARD = text("SELECT id FROM boards WHERE id = :id FOR KEY SHARE")
_LOCK_PAGE = text("SELECT id FROM board_pages WHERE id = :id FOR KEY SHARE")


@dataclass(frozen=True)
class SnapshotFile:
    """A file that is verified in B2; an image has a size in pixels."""

    name: str
    stored: StoredObject
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class SnapshotFacts:
    """The content of the files: digest, time of reading, number of skipped strokes, and the job that drew it."""

    digest: str
    read_at: datetime
    skipped: int
    job_id: UUID


def write_snapshots(
    session: Session, place: SnapshotTarget, facts: SnapshotFacts, files: Sequence[SnapshotFile]
) -> bool:
    """Record these as the latest files of the page or board; False when it no longer exists.

    A file with newer content is kept: of two jobs that draw the same page, the slower one may have read it first.
    """
    if not _lock(session, place):
        return False
    for file in files:
        values = {
            "session_id": place.session_id,
            "page_id": place.page_id,
            "name": file.name,
            "content_digest": facts.digest,
            "object_name": file.stored.name,
            "file_id": file.stored.file_id,
            "sha1": file.stored.sha1,
            "bytes": file.stored.size,
            "mime": file.stored.content_type,
            "width": file.width,
            "height": file.height,
            "skipped": facts.skipped,
            "taken_at": facts.read_at,
            "job_id": facts.job_id,
        }
        session.execute(
            insert(Snapshot)
            .values(values)
            .on_conflict_do_update(
                index_elements=["session_id", "page_id", "name"],
                set_=values,
                where=Snapshot.taken_at <= facts.read_at,
            )
        )
    return True


def has_document(session: Session, session_id: int) -> bool:
    """Whether the board has a document."""
    row = select(Snapshot.id).where(Snapshot.session_id == session_id, Snapshot.name == "pdf")
    return session.scalar(row) is not None


def is_document(session: Session, session_id: int, object_name: str) -> bool:
    """Whether this object is the board's document."""
    row = select(Snapshot.id).where(Snapshot.session_id == session_id, Snapshot.object_name == object_name)
    return session.scalar(row) is not None


def confirm_snapshots(session: Session, place: SnapshotTarget, digest: str, at: datetime) -> None:
    """Record that the files were still up to date at this time."""
    session.execute(
        update(Snapshot)
        .where(*_of(place), Snapshot.content_digest == digest, Snapshot.taken_at < at)
        .values(taken_at=at)
    )


def drawn_names(session: Session, place: SnapshotTarget, digest: str) -> set[str]:
    """The names of the files that exist with exactly this content."""
    return set(session.scalars(select(Snapshot.name).where(*_of(place), Snapshot.content_digest == digest)))


def snapshots_of(session: Session, session_id: int, page_id: int | None = None) -> Sequence[Snapshot]:
    """The latest files of a session, or of one of its pages: ordered by page, the document last."""
    statement = (
        select(Snapshot)
        .outerjoin(_PAGES, _PAGES.c.id == Snapshot.page_id)
        .where(Snapshot.session_id == session_id)
        .order_by(_PAGES.c.page_number.nulls_last(), Snapshot.page_id, Snapshot.name)
    )
    if page_id is not None:
        statement = statement.where(Snapshot.page_id == page_id)
    return session.scalars(statement).all()


def named_snapshots(session: Session, names: Collection[str]) -> set[str]:
    """Those of the object names that a row refers to."""
    return set(session.scalars(select(Snapshot.object_name).where(Snapshot.object_name.in_(names))))


def names_after(session: Session, name: str, *, most: int) -> Sequence[str]:
    """At most `most` object names of rows, by their bytes, as Backblaze lists them, after `name`."""
    in_order = Snapshot.object_name.collate("C")
    return session.scalars(select(Snapshot.object_name).where(in_order > name).order_by(in_order).limit(most)).all()


def forget_snapshot(session: Session, object_name: str) -> None:
    """Delete the row of an object that is gone: the next job draws it again."""
    session.execute(delete(Snapshot).where(Snapshot.object_name == object_name))


def _of(place: SnapshotTarget) -> tuple[ColumnElement[bool], ...]:
    return Snapshot.session_id == place.session_id, Snapshot.page_id.is_not_distinct_from(place.page_id)


def _lock(session: Session, place: SnapshotTarget) -> bool:
    """Lock the page or board that the rows refer to; False when it no longer exists."""
    if place.page_id is None:
        return session.scalar(_LOCK_BOARD, {"id": place.session_id}) is not None
    return session.scalar(_LOCK_PAGE, {"id": place.page_id}) is not None
