"""Pictures and documents of whiteboards."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, words
from models.states import SNAPSHOT_NAMES


class Snapshot(Base):
    """The latest file of one kind: of a page, or (without a page) of the whole board. Older ones are replaced."""

    __tablename__ = "whiteboard_snapshots"

    id: Mapped[int] = mapped_column(primary_key=True)
    # CASCADE: objects that no row names are swept.
    session_id: Mapped[int] = mapped_column(ForeignKey("whiteboard_sessions.id", ondelete="CASCADE"))
    page_id: Mapped[int | None] = mapped_column(ForeignKey("whiteboard_pages.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    # SHA-256 in hex of what was drawn: a page with a different digest has changed since.
    content_digest: Mapped[str]
    # Where it is on B2, and B2's id of that version.
    object_name: Mapped[str] = mapped_column(unique=True)
    file_id: Mapped[str]
    # Lower-case hex, as B2 verified it.
    sha1: Mapped[str | None]
    bytes: Mapped[int] = mapped_column(BigInteger)
    mime: Mapped[str]
    # Pixels of a picture; a document of many pages has none.
    width: Mapped[int | None]
    height: Mapped[int | None]
    # Strokes that were not drawn, or not as they are stored; the job's result names them.
    skipped: Mapped[int] = mapped_column(server_default=text("0"))
    # When the board last looked like this: when its strokes were read, or last found unchanged.
    taken_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    # The job that created it. Jobs are pruned, snapshots stay.
    job_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("jobs.id", ondelete="SET NULL"), index=True)

    __table_args__ = (
        words("name", SNAPSHOT_NAMES),
        CheckConstraint("(name = 'pdf') = (page_id IS NULL)", name="page"),
        CheckConstraint("content_digest ~ '^[0-9a-f]{64}$'", name="content_digest"),
        # NULLS NOT DISTINCT: a board has one document. Its index also serves the foreign key of the session.
        UniqueConstraint("session_id", "page_id", "name", postgresql_nulls_not_distinct=True),
    )
