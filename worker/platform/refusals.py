"""What could not be imported from the platform: the row, the reason and what to do (`platform_refusals`)."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, select, text, tuple_
from sqlalchemy.orm import Session

from models.platform import PlatformRefusal
from worker.array_text import number_array

_WRITE = text(
    """
    INSERT INTO platform_refusals (kind, platform_id, code, is_refused, reason, remedy, details)
    SELECT :kind, row.platform_id, row.code, row.is_refused, row.reason, row.remedy, row.details
      FROM jsonb_to_recordset(CAST(:rows AS jsonb))
           AS row (platform_id bigint, code text, is_refused boolean, reason text, remedy text, details jsonb)
     ORDER BY row.platform_id, row.code
        ON CONFLICT (kind, platform_id, code) DO UPDATE
       SET is_refused = excluded.is_refused, reason = excluded.reason, remedy = excluded.remedy,
           details = excluded.details, last_seen_at = now()
    """
)
_FORGET = text(
    """
    DELETE FROM platform_refusals
     WHERE kind = :kind AND platform_id = ANY(CAST(:platform_ids AS bigint[]))
       AND (platform_id, code) NOT IN (
           SELECT * FROM unnest(CAST(:kept_ids AS bigint[]), CAST(:kept_codes AS text[])) AS kept (platform_id, code))
    """
)


@dataclass(frozen=True)
class Refusal:
    """What is wrong with a row: a stable code, the reason, and what people can do about it.

    With `is_refused` false the row was imported in part, or deserves a look.
    """

    code: str
    reason: str
    remedy: str
    is_refused: bool = True
    # Ids of other rows that are involved.
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RefusedRow:
    """A line of the report."""

    kind: str
    platform_id: int
    code: str
    is_refused: bool
    reason: str
    remedy: str


def write_refusals(session: Session, kind: str, refusals: Mapping[int, Sequence[Refusal]]) -> None:
    """Replace the refusals of these rows, by platform id; an empty sequence: nothing is wrong any more."""
    rows = [
        {
            "platform_id": platform_id,
            "code": refusal.code,
            "is_refused": refusal.is_refused,
            "reason": refusal.reason,
            "remedy": refusal.remedy,
            "details": dict(refusal.details),
        }
        for platform_id, noted in refusals.items()
        for refusal in noted
    ]
    kept = {"kept_ids": [row["platform_id"] for row in rows], "kept_codes": [row["code"] for row in rows]}
    session.execute(_FORGET, {"kind": kind, "platform_ids": number_array(refusals), **kept})
    if rows:
        session.execute(_WRITE, {"kind": kind, "rows": json.dumps(rows)})


def remove_refusals(session: Session, kind: str, platform_ids: Collection[int]) -> None:
    """Delete the refusals of rows that the platform has deleted."""
    of_kind = (PlatformRefusal.kind == kind, PlatformRefusal.platform_id == func.any(list(platform_ids)))
    session.execute(delete(PlatformRefusal).where(*of_kind))


def refused_ids(session: Session, kind: str, *, after: int, most: int) -> list[int]:
    """Platform ids of at most `most` refused rows above `after`, in order."""
    statement = select(PlatformRefusal.platform_id).distinct()
    refused = (PlatformRefusal.kind == kind, PlatformRefusal.is_refused, PlatformRefusal.platform_id > after)
    return list(session.scalars(statement.where(*refused).order_by(PlatformRefusal.platform_id).limit(most)))


def count_refusals(session: Session) -> dict[str, dict[str, int]]:
    """By kind: the number of rows for each code, whether refused or imported in part."""
    key = (PlatformRefusal.kind, PlatformRefusal.code)
    counts: dict[str, dict[str, int]] = {}
    for kind, code, number in session.execute(select(*key, func.count()).group_by(*key).order_by(*key)):
        counts.setdefault(kind, {})[code] = number
    return counts


def list_refusals(session: Session, *, batch: int = 1000) -> Iterator[RefusedRow]:
    """Every line of the report, ordered by kind, row and code."""
    key = (PlatformRefusal.kind, PlatformRefusal.platform_id, PlatformRefusal.code)
    columns = (*key, PlatformRefusal.is_refused, PlatformRefusal.reason, PlatformRefusal.remedy)
    after: tuple[str, int, str] = ("", 0, "")
    while True:
        statement = select(*columns).where(tuple_(*key) > tuple_(*after)).order_by(*key).limit(batch)
        rows = [RefusedRow(*row) for row in session.execute(statement)]
        yield from rows
        if len(rows) < batch:
            return
        after = (rows[-1].kind, rows[-1].platform_id, rows[-1].code)
