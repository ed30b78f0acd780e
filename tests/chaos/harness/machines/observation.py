"""What an installation has done and used so far."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from tests.chaos.harness.environment import FINISHED, Environment
from tests.chaos.harness.machines.machine import Machine, processor_seconds
from tests.chaos.harness.machines.tutors import Work

_ENDED = "SELECT count(*) AS n FROM jobs WHERE principal <> 'beat' AND state = ANY(%s)"
_SENT = "SELECT count(*) AS n FROM deliveries WHERE state = 'sent'"
_WAITS = """
    SELECT (args->>'recording_id')::int AS recording, extract(epoch FROM started_at - created_at)::float AS waited
      FROM jobs WHERE kind = 'recordings.ingest' AND started_at IS NOT NULL
"""


@dataclass(frozen=True)
class Observation:
    """Jobs that ended, messages that were sent, and processor seconds: of machines by kind of process, of servers."""

    jobs: int
    messages: int
    processor: Mapping[str, float]
    shared: Mapping[str, float]

    def __sub__(self, before: Self) -> "Observation":
        """What was done and used since `before`."""
        return Observation(
            self.jobs - before.jobs,
            self.messages - before.messages,
            {kind: seconds - before.processor[kind] for kind, seconds in self.processor.items()},
            {kind: seconds - before.shared[kind] for kind, seconds in self.shared.items()},
        )


def observe(environment: Environment, machines: Sequence[Machine]) -> Observation:
    """Until now; of the processes of these machines that run."""
    ask, servers = environment.watchdog.ask, environment.servers
    processor: Counter[str] = Counter()
    for machine in machines:
        processor.update(machine.processor_seconds())
    assert servers.postgres.process is not None, "it does not run"
    shared = {
        "PostgreSQL": processor_seconds(servers.postgres.process.pid),
        "Valkey": processor_seconds(servers.broker.pid),
    }
    return Observation(ask(_ENDED, list(FINISHED))[0]["n"], ask(_SENT)[0]["n"], processor, shared)


def waits(environment: Environment, work: Work) -> dict[int, list[float]]:
    """By tutor: seconds from the answer to each upload of `work` until its ingest started, the last time."""
    tutors = {sent.recording_id: sent.tutor for sent in work.recordings}
    seconds: dict[int, list[float]] = defaultdict(list)
    for row in environment.watchdog.ask(_WAITS):
        if row["recording"] in tutors:
            seconds[tutors[row["recording"]]].append(row["waited"])
    return seconds
