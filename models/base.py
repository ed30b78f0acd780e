"""Shared by all tables: names of constraints (so that migrations and models agree), UTC time columns."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, MetaData, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


class Base(DeclarativeBase):
    """The declarative base. Python `datetime` is always `timestamptz`, `dict` and `list` are `jsonb`."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own form
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


def created_at() -> Mapped[datetime]:
    """When the row was inserted, by the database's clock."""
    return mapped_column(server_default=text("now()"))


def words(column: str, allowed: tuple[str, ...]) -> CheckConstraint:
    """A CHECK that `column` has one of the allowed values (models/states.py)."""
    quoted = ", ".join(f"'{word}'" for word in allowed)
    return CheckConstraint(f"{column} IN ({quoted})", name=column)
