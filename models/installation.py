"""Which installation this database is."""

from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Installation(Base):
    """One row, made with the table. Its id stands in the bucket too, so that no two databases sweep one bucket."""

    __tablename__ = "installation"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    # Always true: a second row would collide.
    is_only: Mapped[bool] = mapped_column(Boolean, unique=True, server_default=text("true"))

    __table_args__ = (CheckConstraint("is_only", name="is_only"),)
