"""The run: one machine's turn, three machines' turn, and a turn in which one of the three is lost and comes back."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.harness.environment import FINISHED, Environment
from tests.chaos.harness.machines.machine import Machine
from tests.chaos.harness.machines.observation import observe, waits
from tests.chaos.harness.machines.turn import Turn, describe
from tests.chaos.harness.machines.tutors import Size, Tutors, Work
from tests.waiting import wait_for
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.routine_orders import SweepSpool
from worker.workflows.uploads.spools import unreachable_spools

Say = Callable[[str], None]
# Before a machine is lost, so many recordings that it has acknowledged wait for their ingest.
_IN_HAND = 2

_LIVE = "SELECT id FROM jobs WHERE principal <> 'beat' AND NOT state = ANY(%s) AND queue <> %s LIMIT 1"
_UNSENT = "SELECT id FROM deliveries WHERE state IN ('pending', 'sending') LIMIT 1"
_WAITING = "SELECT count(*) AS n FROM jobs WHERE kind = 'recordings.ingest' AND queue = %s AND NOT state = ANY(%s)"


@dataclass
class Loss:
    """What was seen while a machine was lost: recordings that it had, and what doctor and `/readyz` say of them."""

    recordings: int
    sentences: list[str]


class ScaleRun:
    """Carries out the turns, within so many `seconds`. Use it from the main thread: it starts processes."""

    def __init__(
        self, environment: Environment, machines: Sequence[Machine], tutors: Tutors, say: Say, *, seconds: float
    ) -> None:
        self.environment = environment
        self.machines = machines
        self.tutors = tutors
        self.running: list[Machine] = []
        # Of one machine, and of all.
        self.alone: list[Turn] = []
        self.all: list[Turn] = []
        self.work: list[Work] = []
        self.loss = Loss(0, [])
        self._say = say
        self._end = time.monotonic() + seconds

    def run(self, size: Size, *, rounds: int) -> None:
        """So many turns of one machine and of all, in turns; then the loss."""
        for number in range(rounds):
            self.alone.append(self._warm_turn(1, f"{number}", size))
            self.all.append(self._warm_turn(len(self.machines), f"{number}", size))
        self._lose(size)
        self._sweep()

    def _warm_turn(self, count: int, name: str, size: Size) -> Turn:
        """One turn of so many machines; the others do not run.

        The same work comes before it: the first job of each child imports and logs in, which takes as long as a job.
        """
        for machine in self.running[count:]:
            machine.kill()
        for machine in self.machines[len(self.running[:count]) : count]:
            machine.start()
        self.running = list(self.machines[:count])
        self._turn(f"warm-{count}-{name}", size)
        turn = self._turn(f"turn-{count}-{name}", size)
        for line in describe(turn):
            self._say(line)
        return turn

    def _turn(self, name: str, size: Size) -> Turn:
        """One turn's work on all running machines."""
        before, began = observe(self.environment, self.running), time.monotonic()
        work = self._begin(name, size)
        self._wait(self._is_over)
        seconds = time.monotonic() - began
        spent = observe(self.environment, self.running) - before
        return Turn(
            len(self.running),
            spent.jobs,
            spent.messages,
            seconds,
            spent.processor,
            spent.shared,
            waits(self.environment, work),
        )

    def _lose(self, size: Size) -> None:
        """Kill the second machine in mid-work, let the others go on, then bring it back with its disk."""
        lost = self.machines[1]
        queue = f"media.{lost.name}"
        self._begin("loss", size)
        self._wait(lambda: self._waiting(queue))
        lost.suspend()
        self._wait(lambda: self._waiting(queue) >= _IN_HAND or self.tutors.are_done)
        lost.kill()
        lost.take_disk()
        self._say(f"{lost.name} is lost: API, beat and workers killed, its disk away")
        self._wait(lambda: self._is_over(without=queue))
        self._wait(self._unreachable)
        waiting = self._waiting(queue)
        self.loss = Loss(waiting, self._unreachable())
        self._say(f"the others have done all that they could; {waiting} recordings wait for {lost.name}")
        lost.return_disk()
        lost.start()
        self._say(f"{lost.name} is back")
        self._wait(self._is_over)

    def _waiting(self, queue: str) -> int:
        """Recordings whose ingest has not ended."""
        return int(self._ask(_WAITING, queue, list(FINISHED))[0]["n"])

    def _sweep(self) -> None:
        """Remove what killed attempts left on the disks, as each machine's beat orders it every hour."""
        time.sleep(self.environment.settings.orphan_age + 0.5)
        with self.environment.database.transaction() as session:
            jobs = [enqueue(session, SweepSpool(machine.name)) for machine in self.machines]
        self.environment.wait_until_finished(jobs)

    def _begin(self, name: str, size: Size) -> Work:
        addresses = [machine.address for machine in self.running if machine.is_entry]
        work = self.tutors.begin(name, addresses, size)
        self.work.append(work)
        return work

    def _is_over(self, without: str = "") -> bool:
        """Whether everything was acknowledged and has ended, but for jobs of the queue `without`."""
        return self.tutors.are_done and not self._ask(_LIVE, list(FINISHED), without) and not self._ask(_UNSENT)

    def _unreachable(self) -> list[str]:
        with self.environment.database.transaction() as session:
            return unreachable_spools(session, interval=self.environment.settings.heartbeat_interval)

    def _ask(self, statement: str, *values: object) -> list[dict[str, Any]]:
        return self.environment.watchdog.ask(statement, *values)

    def _wait(self, state: Callable[[], object]) -> None:
        wait_for(state, within=self._end - time.monotonic(), details=self._left)

    def _left(self) -> object:
        """What has not ended, for a run that takes too long."""
        live = "SELECT kind, queue, state, count(*) AS n FROM jobs WHERE NOT state = ANY(%s) GROUP BY 1, 2, 3"
        return self._ask(live, list(FINISHED)), self._ask("SELECT state, count(*) AS n FROM deliveries GROUP BY 1")
