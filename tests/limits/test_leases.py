"""Leases: open uploads and streams are counted across all processes, and those of a killed one expire."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.conftest import Sql
from worker.database import Database
from worker.limits.lease_rows import Bound, Lease, prune_leases
from worker.limits.leases import LEASE_SECONDS, Leases


async def _eventually(happens: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(120):
        for _ in itertools.count():
            if await happens():
                return
            await asyncio.sleep(0.01)


TWO = Bound("streams", 2)


@pytest.mark.parametrize(
    ("bound", "number", "total", "size", "fits"),
    [
        (Bound("a", 2), 1, 0, 0, True),
        (Bound("a", 2), 2, 0, 0, False),
        (Bound("a", 0, 100), 9, 60, 40, True),
        (Bound("a", 0, 100), 1, 60, 41, False),
        (Bound("a", 2, 100), 0, 0, 1000, True),
        (Bound("a", 0), 10**6, 10**12, 1, True),
    ],
)
def test_what_fits(bound: Bound, number: int, total: int, size: int, fits: bool) -> None:
    assert bound.fits(number, total, size) is fits


def _counted(sql: Sql) -> int:
    return int(sql("SELECT count(*) FROM limit_leases WHERE expires_at > now()")[0][0])


def test_processes_share_the_bound(database: Database, sql: Sql) -> None:
    async def share() -> None:
        first, second = Leases(database), Leases(database)
        lease, other_lease = await first.take(TWO, "user:1"), await second.take(TWO, "user:1")
        assert lease is not None
        assert other_lease is not None
        for leases in (first, second):
            assert await leases.take(TWO, "user:1") is None
        assert await first.take(TWO, "user:2") is not None
        assert await first.take(Bound("uploads", 1), "user:1") is not None
        first.give_back(lease)
        first.give_back(lease)
        # At once for the process itself.
        assert await first.take(TWO, "user:1") is not None
        assert await second.take(TWO, "user:1") is None
        await first.close()
        await second.close()

    asyncio.run(share())
    assert _counted(sql) == 0


def test_many_at_once_take_no_more_than_there_is(database: Database) -> None:
    async def crowd() -> list[Lease | None]:
        processes = [Leases(database) for _ in range(4)]
        granted = await asyncio.gather(*(leases.take(TWO, "user:1") for leases in processes for _ in range(8)))
        for leases in processes:
            await leases.close()
        return granted

    assert sum(lease is not None for lease in asyncio.run(crowd())) == 2


def test_what_is_given_back_is_soon_free_for_others(database: Database) -> None:
    async def wait() -> None:
        first, second = Leases(database), Leases(database)
        granted = [await first.take(TWO, "user:1") for _ in range(2)]
        for lease in granted:
            assert lease is not None
            first.give_back(lease)
        await _eventually(lambda: second.take(TWO, "user:1"))
        await first.close()
        await second.close()

    asyncio.run(wait())


def test_what_is_open_is_renewed_and_comes_back_after_a_crash(database: Database, sql: Sql) -> None:
    async def hold() -> None:
        leases = Leases(database, seconds=0.3)
        lease = await leases.take(TWO, "user:1")
        # As after a crash of the server: the table is UNLOGGED.
        await asyncio.to_thread(sql, "TRUNCATE limit_leases")
        await _eventually(lambda: asyncio.to_thread(_counted, sql))
        assert lease is not None
        leases.give_back(lease)
        await _eventually(lambda: asyncio.to_thread(sql, "SELECT 1 WHERE NOT EXISTS (SELECT FROM limit_leases)"))
        await leases.close()

    asyncio.run(hold())


def test_a_killed_process_gives_back_within_a_minute(database: Database, sql: Sql) -> None:
    assert LEASE_SECONDS < 60

    async def die() -> None:
        for _ in range(2):
            await Leases(database).take(TWO, "user:1")

    async def come_after() -> bool:
        leases = Leases(database)
        lease = await leases.take(TWO, "user:1")
        await leases.close()
        return lease is not None

    asyncio.run(die())
    assert not asyncio.run(come_after())
    assert sql("SELECT 1 FROM limit_leases WHERE expires_at > now() + interval '60 s'") == []
    sql("UPDATE limit_leases SET expires_at = expires_at - interval '60 s'")
    assert asyncio.run(come_after())
    with database.transaction() as session:
        prune_leases(session)
    assert sql("SELECT count(*) FROM limit_leases") == [(0,)]


def test_what_nothing_bounds_needs_no_row(database: Database, sql: Sql) -> None:
    async def take() -> None:
        leases = Leases(database)
        lease = await leases.take(Bound("uploads", 0), "user:1", 10)
        assert lease is not None
        leases.give_back(lease)

    asyncio.run(take())
    assert sql("SELECT count(*) FROM limit_leases") == [(0,)]
