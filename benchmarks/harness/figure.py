"""Figures: readings, each beside a peer or a limit, and whether they are within it."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from benchmarks.harness.scale import Scale


@dataclass(frozen=True)
class Limit:
    """The limit of a reading: an upper or lower bound of its value or of its ratio to the peer."""

    of: Literal["ratio", "value"]
    sign: Literal["≤", "≥", "<"]
    number: float

    def holds(self, measured: float) -> bool:
        """Whether `measured` is within the limit."""
        return {
            "≤": measured <= self.number,
            "≥": measured >= self.number,
            "<": measured < self.number,
        }[self.sign]


@dataclass(frozen=True)
class Reading:
    """One measured value. `spread` is the minimum and maximum of the repeats whose median `value` is."""

    what: str
    value: float
    unit: str
    spread: tuple[float, float] | None = None
    peer: float | None = None
    peer_name: str = ""
    limit: Limit | None = None

    @classmethod
    def of(
        cls,
        what: str,
        repeats: Sequence[float],
        unit: str,
        peer: Sequence[float] = (),
        peer_name: str = "",
        limit: Limit | None = None,
    ) -> Self:
        """The median of the repeats and their spread, beside the median of the peer's."""
        return cls(what, median(repeats), unit, spread(repeats), median(peer) if peer else None, peer_name, limit)

    @property
    def ratio(self) -> float | None:
        """The ratio to the peer, else to the limit; None when there is neither."""
        if self.peer is not None:
            return self.value / self.peer
        return None if self.limit is None else self.value / self.limit.number

    @property
    def kept(self) -> bool | None:
        """Whether the reading is within its limit; None when there is no limit."""
        if self.limit is None:
            return None
        measured = self.ratio if self.limit.of == "ratio" else self.value
        return measured is not None and self.limit.holds(measured)


@dataclass
class Figure:
    """The result of one benchmark: readings, and notes that explain them in plain sentences."""

    title: str
    readings: list[Reading] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


Measure = Callable[[Scale], Figure]


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """The percentile by the nearest-rank method."""
    ranked = sorted(values)
    rank = max(1, -(-len(ranked) * percent // 100))
    return ranked[int(rank) - 1]


def spread(values: Sequence[float]) -> tuple[float, float]:
    """The minimum and maximum."""
    return min(values), max(values)
