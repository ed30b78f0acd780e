"""What one turn of work took, and what several turns say of capacity and fairness."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.chaos.harness.machines.tutors import BUSY


@dataclass(frozen=True)
class Turn:
    """So many machines, the jobs and messages that they ended, the seconds of the clock and of processors.

    `processor`: by kind of process, of the machines; `shared`: by server. `waits`: of each tutor's recordings, from the
    answer to the upload until their ingest started.
    """

    machines: int
    jobs: int
    messages: int
    seconds: float
    processor: Mapping[str, float]
    shared: Mapping[str, float]
    waits: Mapping[int, Sequence[float]]

    @property
    def per_job(self) -> float:
        """Processor seconds of the machines for each job, with its part of the messages."""
        return sum(self.processor.values()) / self.jobs

    @property
    def shared_per_job(self) -> float:
        """Processor seconds of the servers that all machines share, for each job."""
        return sum(self.shared.values()) / self.jobs

    @property
    def capacity(self) -> float:
        """Jobs a second that so many machines can do with one core each."""
        return self.machines / self.per_job


def together(turns: Sequence[Turn]) -> Turn:
    """Several turns of as many machines as one."""
    waits: dict[int, list[float]] = defaultdict(list)
    for turn in turns:
        for tutor, seconds in turn.waits.items():
            waits[tutor] += seconds
    return Turn(
        turns[0].machines,
        sum(turn.jobs for turn in turns),
        sum(turn.messages for turn in turns),
        sum(turn.seconds for turn in turns),
        _sums([turn.processor for turn in turns]),
        _sums([turn.shared for turn in turns]),
        waits,
    )


@dataclass(frozen=True)
class Fairness:
    """Median seconds that recordings waited: the busy tutor's, all others', and of these the tutors' least and most."""

    busy: float
    others: float
    least: float
    most: float


def fairness(waits: Mapping[int, Sequence[float]]) -> Fairness:
    """How evenly tutors waited."""
    others = {tutor: seconds for tutor, seconds in waits.items() if tutor != BUSY}
    medians = [median(seconds) for seconds in others.values()]
    pooled = [waited for seconds in others.values() for waited in seconds]
    return Fairness(median(waits[BUSY]), median(pooled), min(medians), max(medians))


def _sums(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {kind: sum(each.get(kind, 0.0) for each in figures) for kind in figures[0]}


def describe(turn: Turn) -> list[str]:
    """Lines for people."""
    fair = fairness(turn.waits)
    kinds = ", ".join(f"{kind} {seconds:.1f} s" for kind, seconds in {**turn.processor, **turn.shared}.items())
    done = f"{turn.jobs} jobs and {turn.messages} messages in {turn.seconds:.1f} s"
    others = f"{fair.others:.1f} s the others' ({fair.least:.1f} to {fair.most:.1f})"
    return [
        f"{turn.machines} machine(s): {done}: {turn.jobs / turn.seconds:.1f} jobs/s by the clock",
        f"  processor time: {kinds}",
        f"  a job: {1000 * turn.per_job:.1f} ms of the machines, {1000 * turn.shared_per_job:.1f} ms of shared servers",
        f"  a recording waited for its ingest (medians): {fair.busy:.1f} s the busy tutor's, {others}",
    ]
