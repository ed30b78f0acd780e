"""One run: start everything, carry out the plan, wait for all jobs, sweep."""

import random
import threading
import time
from collections.abc import Callable
from functools import partial

import psutil

from tests.chaos.harness.call_scheduler import CallScheduler
from tests.chaos.harness.clients import Clients
from tests.chaos.harness.environment import FINISHED, Environment
from tests.chaos.harness.faults import NOT_NOW, FaultInjector
from tests.chaos.harness.orphans import media_processes
from tests.chaos.harness.plan import Fault, Plan
from tests.waiting import TIMEOUT, wait_for
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.routine_orders import SweepObjects, SweepSpool

_WORKERS = 3
Say = Callable[[str], None]


class ChaosRun:
    """Carries out a plan on an environment. Everything that starts a process happens in the main thread."""

    def __init__(self, environment: Environment, plan: Plan, say: Say) -> None:
        self.environment = environment
        self.plan = plan
        # ffmpeg or ffprobe processes without a worker for more than a second.
        self.orphans: list[str] = []
        self.clients = Clients(environment, plan)
        self._scheduler = CallScheduler(environment.workers, say)
        self.injector = FaultInjector(environment, random.Random(plan.seed + 1), self._scheduler.later, plan.quick)
        self._say = say
        self._start = 0.0

    def run(self) -> None:
        """From the first worker to the last sweep."""
        self.environment.start_api()
        for _n in range(_WORKERS):
            self.environment.workers.start(wait=False)
        wait_for(
            lambda: all(map(self.environment.workers.ready, self.environment.workers.running)),
            details=self.environment.workers.log,
        )
        watcher = threading.Thread(target=self._watch_media, daemon=True)
        self._over = threading.Event()
        self._start = time.monotonic()
        self.clients.start()
        watcher.start()
        try:
            self._trouble()
            self._say("the trouble is over; waiting for the jobs")
            waiting = threading.Thread(target=self.clients.finish, daemon=True)
            waiting.start()
            self._calm(lambda: not waiting.is_alive(), 120)
            self._calm(self._all_over, 600 / self.plan.quick + 60)
            self._sweep()
        finally:
            self._over.set()
            watcher.join(TIMEOUT)

    def _trouble(self) -> None:
        for fault in self.plan.faults:
            self._scheduler.later(fault.at, partial(self._happen, fault))
        while not self._scheduler.is_empty or time.monotonic() - self._start < self.plan.seconds:
            self._scheduler.turn()

    def _happen(self, fault: Fault) -> None:
        effect = self.injector.do(fault)
        if fault.name == "freeze_broker" and effect != NOT_NOW:
            self.clients.burst(fault.seconds)
        self._say(f"{fault.name.replace('_', ' ')}: {effect}")

    def _calm(self, done: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            self._scheduler.turn()

    def _all_over(self) -> bool:
        time.sleep(0.3)
        return not self.environment.watchdog.ask("SELECT 1 FROM jobs WHERE NOT state = ANY(%s) LIMIT 1", list(FINISHED))

    def _sweep(self) -> None:
        time.sleep(self.environment.settings.orphan_age + 0.5)
        with self.environment.database.transaction() as session:
            orders = (SweepObjects(), SweepSpool(self.environment.settings.spool_id))
            jobs = [enqueue(session, order) for order in orders]
        self.environment.wait_until_finished(jobs)

    def _watch_media(self) -> None:
        """Look for ffmpeg processes without a worker: `looks` counts the consecutive looks at each."""
        looks: dict[int, int] = {}
        while not self._over.wait(0.7):
            mains = {worker.pid for worker in list(self.environment.workers.running)}
            orphan_looks: dict[int, int] = {}
            for process in media_processes(self.environment.folder):
                try:
                    has_worker = any(parent.pid in mains for parent in process.parents())
                except psutil.Error:
                    continue
                if not has_worker:
                    orphan_looks[process.pid] = looks.get(process.pid, 0) + 1
                    if orphan_looks[process.pid] == 3:
                        self.orphans.append(f"{process.pid} {process.name()}")
            looks = orphan_looks
