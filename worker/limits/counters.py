"""Count the use of rates: a row for each rate and person, and in this process the units that it has reserved.

The generic cell rate algorithm (ITU-T I.371): a row holds the instant at which all used units are available again. The
table is UNLOGGED: a crash of the server loses the counts, but no request waits for a disk.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import text

from worker.database import Database, Executor
from worker.errors import TooManyRequests
from worker.limits.rates import Rate

# The row stays locked until the end of the transaction: two processes never take the same units. An instant later than
# two periods from now was written before the server's clock was set back, and counts as unused.
_TAKE = text(
    """
    INSERT INTO limit_counters AS counter (rate, who, free_at)
    VALUES (:rate, :who, clock_timestamp() + make_interval(secs => :cost))
    ON CONFLICT (rate, who) DO UPDATE
       SET free_at = CASE WHEN counter.free_at BETWEEN clock_timestamp()
                                                   AND clock_timestamp() + 2 * make_interval(secs => :seconds)
                          THEN counter.free_at ELSE clock_timestamp() END + make_interval(secs => :cost)
     WHERE counter.free_at + make_interval(secs => :cost) <= clock_timestamp() + make_interval(secs => :seconds)
        OR counter.free_at > clock_timestamp() + 2 * make_interval(secs => :seconds)
    RETURNING true AS taken
    """
)
# Counts work that is already done, even beyond the rate.
_ADD = text(
    """
    INSERT INTO limit_counters AS counter (rate, who, free_at)
    VALUES (:rate, :who, clock_timestamp() + make_interval(secs => :cost))
    ON CONFLICT (rate, who) DO UPDATE
       SET free_at = greatest(counter.free_at, clock_timestamp()) + make_interval(secs => :cost)
    """
)
_LEFT = text(
    """
    SELECT greatest(0, extract(epoch FROM free_at - clock_timestamp()))::double precision AS seconds
      FROM limit_counters WHERE rate = :rate AND who = :who
    """
)
_PRUNE = text("DELETE FROM limit_counters WHERE free_at < now()")

# How many persons' and addresses' leases a process remembers; an evicted one costs its owner at most a twentieth of a
# rate.
_MAX_LEASES = 20_000


@dataclass
class _Lease:
    """Units that this process has reserved but not used, and until when the person is refused (monotonic seconds)."""

    units: float = 0
    refused_until: float = 0


class Counters:
    """The counters as one process sees them. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leases: OrderedDict[tuple[str, str], _Lease] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, rate: Rate, who: str, units: float = 1) -> None:
        """Use `units` of a frequently used rate, mostly without a statement. Raises TooManyRequests."""
        if not rate.most:
            return
        units = min(units, rate.most)
        lease = self._lease(rate, who)
        with self._lock:
            if lease.units >= units:
                lease.units -= units
                return
            left = lease.refused_until - monotonic()
        if left > 0:
            raise refusal(rate, int(left) + 1)
        with self._database.statement() as statement:
            for amount in (max(units, rate.lease), units):
                if _took(statement, rate, who, amount):
                    with self._lock:
                        lease.units += amount - units
                    return
            seconds = _wait(statement, rate, who, units)
        with self._lock:
            lease.refused_until = monotonic() + seconds
        raise refusal(rate, seconds)

    def spend(self, executor: Executor, rate: Rate, who: str, units: float = 1) -> None:
        """Use `units` within a transaction: a rollback returns them. Raises TooManyRequests."""
        if rate.most and not _took(executor, rate, who, units):
            raise refusal(rate, _wait(executor, rate, who, units))

    def require(self, executor: Executor, rate: Rate, who: str, units: float) -> None:
        """Raise TooManyRequests unless `units` could be used now. Uses none."""
        if rate.most and _used(executor, rate, who) + units > rate.most:
            raise refusal(rate, _wait(executor, rate, who, units))

    def add(self, executor: Executor, rate: Rate, who: str, units: float) -> None:
        """Count units already used, even beyond the rate."""
        if rate.most:
            executor.execute(_ADD, _values(rate, who, units))

    def _lease(self, rate: Rate, who: str) -> _Lease:
        with self._lock:
            lease = self._leases.setdefault((rate.name, who), _Lease())
            self._leases.move_to_end((rate.name, who))
            if len(self._leases) > _MAX_LEASES:
                self._leases.popitem(last=False)
            return lease


def prune_counters(executor: Executor) -> None:
    """Delete the rows whose owners have used nothing for their rate's whole period."""
    executor.execute(_PRUNE, {})


def refusal(rate: Rate, seconds: int) -> TooManyRequests:
    """The error that names the exhausted rate, and when to retry."""
    period = {60: "a minute", 86_400: "a day"}.get(rate.seconds, f"in {rate.seconds} s")
    detail = f"More than {rate.most} {rate.name.replace('-', ' ')} {period}. {rate.remedy}"
    return TooManyRequests(detail, limit=rate.name, retry_after=seconds)


def _took(executor: Executor, rate: Rate, who: str, units: float) -> bool:
    if units > rate.most:
        return False
    values = _values(rate, who, units) | {"seconds": float(rate.seconds)}
    return executor.execute(_TAKE, values).fetchone() is not None


def _used(executor: Executor, rate: Rate, who: str) -> float:
    row = executor.execute(_LEFT, {"rate": rate.key, "who": who}).fetchone()
    return 0.0 if row is None else float(row.seconds) * rate.per_second


def _wait(executor: Executor, rate: Rate, who: str, units: float) -> int:
    return rate.wait(_used(executor, rate, who), units)


def _values(rate: Rate, who: str, units: float) -> dict[str, str | float]:
    return {"rate": rate.key, "who": who, "cost": units / rate.per_second}
