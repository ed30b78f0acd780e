"""Which installation this database is."""

from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Installation(Base):
    """One row, made with the table. Its id stands in the bucket too, so that no two databases sweep one bucket."""

    __tablename__ = "installation"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    # Always true: a second row would collide.
    is_only: Mapped[bool] = mapped_column(Boolean, unique=True, server_default=text("true"))
    # Cluster, database and table, when it was last known to be no restored one (worker/storage/restores.py); NULL: not
    # looked at yet.
    identity: Mapped[str | None]
    # Increased before it is written to the bucket. A bucket that is ahead has seen a later state of this database.
    bucket_number: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    # Why sweeps wait for an operator; NULL: they do not.
    held_reason: Mapped[str | None]

    __table_args__ = (CheckConstraint("is_only", name="is_only"),)
