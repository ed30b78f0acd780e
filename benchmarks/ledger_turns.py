"""The results of the ledger and of its peers, measured in turns."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.harness.figure import Limit, Reading, median
from benchmarks.harness.timing import family_processor_seconds
from worker.jobs.orders.registered import order_kinds
from worker.jobs.orders.routine_orders import FillSeries
from worker.metrics.families import families_of
from worker.metrics.recorder import record_attempt, record_to
from worker.metrics.shared_metrics import SharedMetrics

_RECORDED = 20_000


@dataclass
class Turns:
    """The results of each round: jobs per second, and milliseconds of CPU time per job."""

    rates: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def take(self, run: Callable[[], float], jobs: int) -> None:
        before = family_processor_seconds()
        self.rates.append(jobs / run())
        self.processor.append((family_processor_seconds() - before) * 1000 / jobs)


def compare_turns(jobs: int, ours: Turns, bare: Turns, patched: Turns) -> list[Reading]:
    """Throughput and CPU time of the ledger, beside Celery as it comes and beside Celery with the same fixes."""
    name = "Celery alone: same settings, events, acknowledged late"
    patched_name = "Celery with the same fixes"
    what = f"{jobs} jobs, 2 children: order to succeeded"
    processor = "processor time a job: orderer, PostgreSQL, Valkey, worker"
    recording, job = _recording_milliseconds(), median(ours.processor)
    return [
        Reading.of(what, ours.rates, "jobs/s", bare.rates, name, Limit("ratio", "≥", 1.0)),
        _fastest(ours, bare, name),
        Reading.of("the same, beside the patched one", ours.rates, "jobs/s", patched.rates, patched_name),
        _fastest(ours, patched, patched_name),
        Reading.of(processor, ours.processor, "ms", bare.processor, name),
        Reading.of(
            "the same, beside the patched one",
            ours.processor,
            "ms",
            patched.processor,
            patched_name,
            Limit("ratio", "≤", 1.2),
        ),
        Reading(
            "of that: to record how long a job waited and ran, and how it ended",
            recording,
            "ms",
            None,
            job,
            "the whole job",
            Limit("ratio", "<", 0.02),
        ),
    ]


def _fastest(ours: Turns, peer: Turns, name: str) -> Reading:
    what = "the same, fastest turn of each (the least disturbed)"
    return Reading(what, max(ours.rates), "jobs/s", None, max(peer.rates), name)


def _recording_milliseconds() -> float:
    """CPU time of what a child records of one job (worker/metrics)."""
    record_to(SharedMetrics(families_of(order_kinds()), children=2))
    began = time.process_time()
    for _job in range(_RECORDED):
        record_attempt(FillSeries.kind, "succeeded", waited=0.02, ran=0.001)
    seconds = time.process_time() - began
    record_to(None)
    return seconds * 1000 / _RECORDED
