"""The row of a stored stroke, as far as it is valid."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple, TypeGuard


class StrokeRow(NamedTuple):
    """A stored stroke, as far as it is valid."""

    type: object
    data: object
    order: int | None
    id: int
    instants: tuple[datetime | None, datetime | None, datetime | None, datetime | None]

    @classmethod
    def of(cls, row: object) -> "StrokeRow":
        """Parse a row of a document or of a query."""
        fields = row if isinstance(row, Mapping) else {"stroke_type": "", "stroke_data": row}
        order, row_id = fields.get("stroke_order"), fields.get("id")
        return cls(
            fields.get("stroke_type"),
            fields.get("stroke_data"),
            order if is_integer(order) else None,
            row_id if is_integer(row_id) else 0,
            (
                _instant(fields.get("created_at")),
                _instant(fields.get("started_at")),
                _instant(fields.get("ended_at")),
                _instant(fields.get("deleted_at")),
            ),
        )

    @property
    def is_nothing(self) -> bool:
        """Whether it is the stroke of three nulls that the platform's left join writes for a page without strokes."""
        return self.type is None and self.data is None


def drawing_place(stroke: StrokeRow) -> tuple[bool, int, int]:
    """The sort key of drawing order: number, then id, since old rows share numbers; without a number, last."""
    return stroke.order is None, stroke.order or 0, stroke.id


def _instant(value: object) -> datetime | None:
    """An instant; None when it is invalid. Text without an offset is UTC, as the platform's database writes it."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def is_integer(value: object) -> TypeGuard[int]:
    """Whether it is a whole number that a bigint column can store."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
