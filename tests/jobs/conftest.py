"""Orders for tests, and the ledger seen from outside."""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import pytest
from sqlalchemy import text

from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.order import Order
from worker.jobs.runs.claim import Claim, claim


@dataclass(frozen=True)
class SampleOrder(Order):
    """An order that only tests give."""

    kind: ClassVar[str] = "tests.sample"
    max_attempts: ClassVar[int] = 3

    rows: int = 1
    key: str | None = None

    @property
    def unique_key(self) -> str | None:
        return self.key


class Ledger:
    """What a test asks and does most."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def order(self, order: Order, **options: Any) -> UUID:
        with self.database.transaction() as session:
            return enqueue(session, order, **options)

    def claim(self, job_id: UUID, *, worker: str = "w1", lease: float = 30.0) -> Claim:
        claimed = self.try_claim(job_id, worker=worker, lease=lease)
        assert claimed is not None
        return claimed

    def try_claim(self, job_id: UUID, *, worker: str = "w1", lease: float = 30.0) -> Claim | None:
        with self.database.transaction() as session:
            return claim(session, job_id, worker=worker, lease=lease)

    def job(self, job_id: UUID) -> Any:
        with self.database.transaction() as session:
            return session.execute(text("SELECT * FROM jobs WHERE id = :id"), {"id": job_id}).one()

    def attempts(self, job_id: UUID) -> list[Any]:
        with self.database.transaction() as session:
            return list(
                session.execute(text("SELECT * FROM job_attempts WHERE job_id = :id ORDER BY id"), {"id": job_id})
            )

    def expire_lease(self, job_id: UUID) -> None:
        """Let the job's lease run out now, as if its holder had been gone for long."""
        with self.database.transaction() as session:
            session.execute(text("UPDATE jobs SET lease_until = now() - interval '1 s' WHERE id = :id"), {"id": job_id})

    def count(self) -> int:
        with self.database.transaction() as session:
            return int(session.execute(text("SELECT count(*) FROM jobs")).scalar_one())


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


@pytest.fixture
def sample_order() -> type[SampleOrder]:
    return SampleOrder
