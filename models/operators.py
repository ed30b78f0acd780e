"""What operators read and did."""

from datetime import datetime

from sqlalchemy import BigInteger, Identity, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class OperatorAccess(Base):
    """A request of an operator, recorded before it is processed, whatever its result."""

    __tablename__ = "operator_accesses"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    # `admin_id` of the token; admins are kept in another database.
    admin_id: Mapped[int]
    # The method and the route's template, e.g. `GET /v1/recordings/{recording_id}/playback`.
    action: Mapped[str] = mapped_column(String(200))
    # What it was about: path and query as they were sent, the first 500 characters.
    address: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        Index("ix_operator_accesses_admin_id", "admin_id", "at"),
        Index("ix_operator_accesses_address", "address", "at"),
        # Deleted after OPERATOR_ACCESS_RETENTION.
        Index("ix_operator_accesses_at", "at"),
    )
