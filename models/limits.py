"""How much of their rates persons and addresses have used, and which uploads and streams persons have open."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class LimitCounter(Base):
    """How much one person or address (`who`) has used of one rate."""

    __tablename__ = "limit_counters"

    # Which rate and its limit, like `requests/600`.
    rate: Mapped[str] = mapped_column(primary_key=True)
    # `user:1`, `operator:3` or `address:192.0.2.1`.
    who: Mapped[str] = mapped_column(primary_key=True)
    # When the full rate is available again. No index on it: updates stay within their page (HOT).
    free_at: Mapped[datetime]

    # Not in the write-ahead log: a crash loses a minute's or a day's use.
    __table_args__ = ({"prefixes": ["UNLOGGED"], "postgresql_with": {"fillfactor": "50"}},)


class LimitLease(Base):
    """Something that a person (`who`) has open at a process: an upload, a stream."""

    __tablename__ = "limit_leases"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    # `uploads`, `job-streams` or `inbox-streams`.
    name: Mapped[str]
    who: Mapped[str]
    # Bytes that it may add.
    size: Mapped[int] = mapped_column(BigInteger)
    # Renewed while it is open; an expired row no longer counts.
    expires_at: Mapped[datetime]

    # Not in the write-ahead log: the processes write their rows again when they renew them.
    __table_args__ = (Index("ix_limit_leases_who", "who", "name"), {"prefixes": ["UNLOGGED"]})
