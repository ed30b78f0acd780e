"""Which installation this database is."""

from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Installation(Base):
    """A single row, made with the table. Its id is also in the bucket, so that no two databases sweep one bucket."""

    __tablename__ = "installation"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    # Always true: a second row would collide.
    is_only: Mapped[bool] = mapped_column(Boolean, unique=True, server_default=text("true"))
    # Identifies cluster, database and table, when last known not to be restored (worker/storage/restores.py); NULL: not
    # checked yet.
    identity: Mapped[str | None]
    # Increased before it is written to the bucket. A bucket that is ahead has seen a later state of this database.
    bucket_number: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    # Why sweeps wait for an operator; NULL: they do not.
    held_reason: Mapped[str | None]

    __table_args__ = (CheckConstraint("is_only", name="is_only"),)
