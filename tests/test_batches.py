"""Batches: each in a transaction of its own, from where the last one ended, until one says that it was the last."""

from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.batches import batches, repeat_full
from worker.database import Database

_NEXT = text("SELECT id FROM numbers WHERE id > :after ORDER BY id LIMIT :most")
_DELETE = text("DELETE FROM numbers WHERE id IN (SELECT id FROM numbers ORDER BY id LIMIT :most) RETURNING id")


@pytest.fixture
def numbers(database: Database) -> Database:
    """A table of five rows."""
    with database.transaction() as session:
        session.execute(text("CREATE TABLE numbers (id integer)"))
        session.execute(text("INSERT INTO numbers SELECT generate_series(1, 5)"))
    return database


def _read(session: Session, after: int, *, most: int) -> tuple[list[int], int | None]:
    ids = list(session.scalars(_NEXT, {"after": after, "most": most}))
    return ids, ids[-1] if len(ids) == most else None


def _delete(session: Session, *, most: int) -> int:
    return len(session.scalars(_DELETE, {"most": most}).all())


@pytest.mark.parametrize(
    ("most", "read"), [(2, [[1, 2], [3, 4], [5]]), (5, [[1, 2, 3, 4, 5], []]), (9, [[1, 2, 3, 4, 5]])]
)
def test_each_batch_starts_behind_the_one_before(numbers: Database, most: int, read: list[list[int]]) -> None:
    assert list(batches(numbers, partial(_read, most=most))) == read


@pytest.mark.parametrize("most", [1, 2, 5, 9])
def test_work_is_repeated_until_a_batch_is_not_full(numbers: Database, most: int) -> None:
    assert repeat_full(numbers, partial(_delete, most=most), most=most) == 5
    with numbers.transaction() as session:
        assert session.scalars(text("SELECT count(*) FROM numbers")).one() == 0


def test_a_check_that_raises_keeps_what_earlier_batches_committed(numbers: Database) -> None:
    checks = iter([None, RuntimeError("stop")])

    def check() -> None:
        if error := next(checks):
            raise error

    with pytest.raises(RuntimeError, match="stop"):
        repeat_full(numbers, partial(_delete, most=2), most=2, check=check)
    with numbers.transaction() as session:
        assert session.scalars(text("SELECT id FROM numbers ORDER BY id")).all() == [3, 4, 5]
