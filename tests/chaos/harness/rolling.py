"""API, workers and beat restarted by SIGTERM one after the other, again and again, while all of them have work."""

import signal
import time
from collections import Counter
from typing import Self

from devstack.process import ChildProcess, wait_until
from tests.chaos.harness.call_scheduler import CallScheduler
from tests.chaos.harness.clients import Clients
from tests.chaos.harness.environment import FINISHED, Environment
from tests.chaos.harness.plan import Plan
from tests.chaos.harness.rolling_clients import BoardsAndMessages
from tests.chaos.harness.uploads.clients import TusClients
from tests.chaos.harness.uploads.run import Say, tutor_token
from tests.waiting import TIMEOUT
from worker.cli.local_stack.environment import environment_for
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.routine_orders import SealUploads

_WORKERS = 2
ABANDONED_AFTER = 10
# Seconds between two orders to seal uploads that were abandoned; beat does so every minute.
_SEAL_EVERY = 3.0
_CALM_WITHIN = 300.0


class RollingRun:
    """`rounds` restarts of everything, one each `every` seconds. Use it from the main thread: it starts processes."""

    def __init__(self, environment: Environment, plan: Plan, rounds: int, every: float, say: Say) -> None:
        self.environment = environment
        # How the processes ended that were asked to, by their kinds.
        self.ends: Counter[tuple[str, int]] = Counter()
        self.clients = Clients(environment, plan)
        self.others = BoardsAndMessages(environment)
        self._plan, self._rounds, self._every = plan, rounds, every
        self._say = say
        self._scheduler = CallScheduler(environment.workers, say)
        self._asked: list[ChildProcess] = []
        self._beat: ChildProcess | None = None
        self.uploads = TusClients(
            [f"http://127.0.0.1:{environment.settings.api_port}"],
            tutor_token(),
            [environment.new_session() for _n in range(200)],
            seed=plan.seed,
            clients=3,
            abandoned_after=ABANDONED_AFTER,
        )

    def __enter__(self) -> Self:
        self.environment.start_api()
        self._start_beat()
        for _n in range(_WORKERS):
            self.environment.workers.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._beat is not None:
            self._beat.kill()

    def run(self) -> None:
        """From the first request until everything that was asked is done."""
        for thread in (self.clients, self.uploads, self.others):
            thread.start()
        for number in range(self._rounds):
            self._plan_round(number * self._every)
        end = time.monotonic() + self._plan.seconds
        while not self._scheduler.is_empty or time.monotonic() < end:
            self._scheduler.turn()
        self._say("no more restarts; waiting for what was asked")
        self.uploads.stop()
        self.others.stop()
        self.clients.finish()
        self._calm()
        for worker in self._asked:
            self.ends["worker", worker.kill()] += 1

    def _plan_round(self, at: float) -> None:
        """A step each quarter of a round: two workers, beat, the API."""
        steps = [*_WORKERS * [self._restart_worker], self._restart_beat, self._restart_api]
        for number, step in enumerate(steps):
            self._scheduler.later(at + number * self._every / len(steps), step)

    def _restart_worker(self) -> None:
        """Ask the oldest one that was not asked yet; the scheduler starts another when it has ended."""
        workers = [worker for worker in self.environment.workers.running if worker not in self._asked]
        if workers and self.environment.workers.ready(workers[0]):
            self._say(f"SIGTERM to {workers[0].name}")
            self._asked.append(workers[0])
            workers[0].signal(signal.SIGTERM)

    def _restart_beat(self) -> None:
        assert self._beat is not None
        self._say("SIGTERM to beat")
        self.ends["beat", self._beat.stop(TIMEOUT)] += 1
        self._start_beat()

    def _restart_api(self) -> None:
        assert self.environment.api is not None
        self._say("SIGTERM to the API")
        self.ends["api", self.environment.api.stop(TIMEOUT)] += 1
        self.environment.start_api()

    def _start_beat(self) -> None:
        sign = self.environment.folder / "beat.ready"
        sign.unlink(missing_ok=True)
        variables = environment_for(self.environment.settings) | {"READY_FILE": str(sign)}
        self._beat = self.environment.start(
            "beat", "worker.cli", ["beat"], self.environment.folder / "beat.log", variables
        )
        wait_until(sign.exists, self._beat, TIMEOUT)

    def _calm(self) -> None:
        end = time.monotonic() + _CALM_WITHIN
        sealed = 0.0
        while not self._is_over() and time.monotonic() < end:
            if time.monotonic() > sealed + _SEAL_EVERY:
                sealed = time.monotonic()
                with self.environment.database.transaction() as session:
                    enqueue(session, SealUploads(self.environment.settings.spool_id))
            self._scheduler.turn()

    def _is_over(self) -> bool:
        ask = self.environment.watchdog.ask
        return (
            self.uploads.is_done
            and self.others.is_done
            and not ask("SELECT 1 FROM uploads WHERE state = 'open' LIMIT 1")
            and not ask("SELECT 1 FROM deliveries WHERE state IN ('pending', 'sending') LIMIT 1")
            and not ask("SELECT 1 FROM jobs WHERE NOT state = ANY(%s) AND run_at < now() LIMIT 1", list(FINISHED))
        )
