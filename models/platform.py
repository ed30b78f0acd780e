"""The import from the platform's database: which row became which, what was refused, and how far it was read."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class PlatformLink(Base):
    """A platform row that was read, and the row of ours that it became."""

    __tablename__ = "platform_links"

    # The kind of row: `person`, `enrolment`, `lesson`, … (worker/workflows/platform_import).
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    platform_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    # The id of our row; NULL: it was refused, or there is nothing of ours for it. Two platform rows may become one
    # of ours. No foreign key: `kind` decides the table, and the link outlives a row that was deleted here.
    id: Mapped[int | None] = mapped_column(BigInteger)
    # BLAKE2b of the row as it was read, 16 bytes: an equal one is not stored again.
    digest: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (Index("ix_platform_links_kind_id", "kind", "id"),)


class PlatformRefusal(Base):
    """Why a platform row was refused, or what was left out of it; deleted when that no longer applies."""

    __tablename__ = "platform_refusals"

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    platform_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    # What is wrong, like `tutor-busy`; a row may have several.
    code: Mapped[str] = mapped_column(String(60), primary_key=True)
    # True: nothing of the row was taken; false: it was taken in part, or is worth a look.
    is_refused: Mapped[bool]
    # For people: what is wrong, and what they can do.
    reason: Mapped[str] = mapped_column(Text)
    remedy: Mapped[str] = mapped_column(Text)
    # Ids of other platform rows that are involved.
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    first_seen_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    last_seen_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class PlatformPull(Base):
    """How far the rows of one kind have been read, so that a restart continues from there."""

    __tablename__ = "platform_pulls"

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    # The latest time of change that was read, as the platform writes it: ISO 8601 without a zone; NULL: none yet.
    changed_at: Mapped[str | None] = mapped_column(String(40))
    # Of append-only kinds: rows up to this id were hours old when read, so that none will still appear among them.
    settled_id: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    # Count, highest id and sum of times of the rows that would be read again: the same while nothing changes.
    signature: Mapped[str | None] = mapped_column(String(200))
    # When the last complete pull ended, and the last complete comparison of ids, by the clock of this database.
    pulled_at: Mapped[datetime | None]
    compared_at: Mapped[datetime | None]
