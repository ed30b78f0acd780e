"""Which processes are alive, and when each part of them last completed its work."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Heartbeat(Base):
    """The last time that one part of one process completed its work; rewritten in place, deleted after a day."""

    __tablename__ = "heartbeats"

    # One name per process start: host, process id and a random part.
    process: Mapped[str] = mapped_column(primary_key=True)
    # `consumer`, `relay`, `reaper`, `dispatcher`, `storage` or `beat`.
    part: Mapped[str] = mapped_column(primary_key=True)
    # Of a consumer, one row for each queue; empty for other parts.
    queue: Mapped[str] = mapped_column(primary_key=True, server_default="")
    # Of a consumer: how many jobs its process runs at once.
    children: Mapped[int] = mapped_column(server_default=text("0"))
    # Seconds by which the process's clock is ahead of the database's.
    clock_ahead: Mapped[float] = mapped_column(server_default=text("0"))
    seen_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    # Rewritten every few seconds: room in the page lets PostgreSQL do that in place.
    __table_args__ = (Index("ix_heartbeats_part_seen_at", "part", "seen_at"), {"postgresql_with": {"fillfactor": "50"}})
