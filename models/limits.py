"""What persons and addresses have used of the rates that bound them."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class LimitCounter(Base):
    """How much one person or address (`who`) has used of one rate."""

    __tablename__ = "limit_counters"

    # Which rate, like `requests`.
    rate: Mapped[str] = mapped_column(primary_key=True)
    # `user:1`, `operator:3` or `address:192.0.2.1`.
    who: Mapped[str] = mapped_column(primary_key=True)
    # When all that was used has come back. No index on it: updates stay within their page (HOT).
    free_at: Mapped[datetime]

    # Not in the write-ahead log: what a crash forgets is a minute's or a day's use.
    __table_args__ = ({"prefixes": ["UNLOGGED"], "postgresql_with": {"fillfactor": "50"}},)
