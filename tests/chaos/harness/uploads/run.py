"""One run: two API processes on one spool, clients and a browser that record, kills, and the wait for B2."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from devstack.ports import free_port
from devstack.process import ChildProcess, wait_until
from devstack.supervisor import http_ready
from tests.chaos.harness.call_scheduler import CallScheduler
from tests.chaos.harness.environment import FINISHED, Environment
from tests.chaos.harness.faults import NOT_NOW, FaultInjector
from tests.chaos.harness.plan import Fault
from tests.chaos.harness.proxy import Proxy
from tests.chaos.harness.uploads.browser import BrowserRecorder
from tests.chaos.harness.uploads.clients import TusClients
from tests.chaos.harness.uploads.kills import KINDS, OF_BROWSERS, Kill, UploadPlan
from tests.waiting import TIMEOUT
from worker.access.issue_token import issue_token
from worker.cli.local_stack.environment import environment_for
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.routine_orders import SealUploads
from worker.settings import DEVELOPMENT_KEY

Say = Callable[[str], None]
_APIS = 2
_WORKERS = 2
_AGAIN = 1.0
_SEAL_EVERY = 3.0
# Seconds from the last kill until every byte is on B2.
_CALM_WITHIN = 600.0


class UploadRun:
    """Carries out a plan on an environment. Everything that starts a process happens in the main thread."""

    def __init__(self, environment: Environment, plan: UploadPlan, browser: BrowserRecorder | None, say: Say) -> None:
        self.environment = environment
        self.plan = plan
        self.browser = browser
        # Kills, and when they were carried out.
        self.kills: list[tuple[Kill, float]] = []
        # Seconds from the last kill until the last job had ended.
        self.calm_after = 0.0
        self.links = [Proxy(environment.settings.api_port if n == 0 else free_port()) for n in range(_APIS)]
        self._say = say
        self._dice = random.Random(plan.seed + 1)
        self._scheduler = CallScheduler(environment.workers)
        self._injector = FaultInjector(environment, random.Random(plan.seed + 2), self._scheduler.later, 1.0)
        self._apis: list[ChildProcess] = []
        self._is_over = threading.Event()

    def run(self) -> None:
        """From the first API to the last byte on B2."""
        with ExitStack() as stack:
            for link in self.links:
                stack.enter_context(link)
            stack.callback(self._end_apis)
            self._apis = [self._start_api(number) for number in range(_APIS)]
            for _n in range(_WORKERS):
                self.environment.workers.start(wait=False)
            for api, link in zip(self._apis, self.links, strict=True):
                wait_until(http_ready("127.0.0.1", link.target, "/healthz"), api, TIMEOUT)
            self.clients = self._make_clients()
            stack.enter_context(self._sealing())
            self.clients.start()
            if self.browser is not None:
                self.browser.start()
            self._trouble()
            self._calm()

    def _make_clients(self) -> TusClients:
        return TusClients(
            [f"http://127.0.0.1:{link.port}" for link in self.links],
            tutor_token(),
            [self.environment.new_session() for _n in range(20 + 2 * len(self.plan.kills))],
            seed=self.plan.seed,
            clients=self.plan.clients,
            abandoned_after=self.plan.abandoned_after,
        )

    def _trouble(self) -> None:
        for kill in self.plan.kills:
            self._scheduler.later(kill.at, partial(self._carry_out, kill))
        while not self._scheduler.is_empty:
            self._scheduler.turn()

    def _carry_out(self, kill: Kill) -> None:
        if not self._is_killed(kill):
            self._scheduler.later(_AGAIN, partial(self._carry_out, kill))
            return
        self.kills.append((kill, time.monotonic()))
        self._say(f"{len(self.kills):3} {KINDS[kill.name]}: {kill.name.replace('_', ' ')}, {kill.seconds:.1f} s")

    def _is_killed(self, kill: Kill) -> bool:
        """Kill it; returns False when that is not possible now."""
        if kill.name in OF_BROWSERS:
            assert self.browser is not None
            self.browser.kill(kill)
            return True
        if kill.name in _OF_APIS:
            _OF_APIS[kill.name](self, self._dice.randrange(_APIS), kill.seconds)
            return True
        if kill.name == "kill_backend":
            return self._kill_backend()
        return self._injector.do(Fault(kill.at, kill.name, kill.seconds)) not in {NOT_NOW, "nobody there"}

    def _api(self, number: int, seconds: float) -> None:
        self._apis[number].kill()
        self._scheduler.later(seconds, partial(self._restart_api, number))

    def _restart_api(self, number: int) -> None:
        self._apis[number].kill()
        self._apis[number] = self._start_api(number)

    def _reset_link(self, number: int, _seconds: float) -> None:
        self.links[number].reset()

    def _cut_link(self, number: int, seconds: float) -> None:
        self.links[number].refuse()
        self._scheduler.later(seconds, lambda: self.links[number].refuse(False))

    def _kill_backend(self) -> bool:
        """SIGKILL of one process of PostgreSQL: it ends all others, and recovers."""
        try:
            with psycopg.connect(
                self.environment.servers.postgres.url(self.environment.database_name),
                autocommit=True,
                connect_timeout=2,
            ) as link:
                os.kill(link.info.backend_pid, signal.SIGKILL)
                return True
        except psycopg.OperationalError:
            return False

    def _start_api(self, number: int) -> ChildProcess:
        variables = environment_for(self.environment.settings) | {"API_PORT": str(self.links[number].target)}
        name = f"api{number}"
        return self.environment.start(name, "worker.cli", ["api"], self.environment.folder / f"{name}.log", variables)

    def _end_apis(self) -> None:
        for api in self._apis:
            api.kill()

    @contextmanager
    def _sealing(self) -> Iterator[None]:
        """Order what beat orders every minute, so often that abandoned uploads end within a short run."""
        thread = threading.Thread(target=self._order_seals, daemon=True)
        thread.start()
        yield
        self._is_over.set()
        thread.join(TIMEOUT)

    def _order_seals(self) -> None:
        while not self._is_over.wait(_SEAL_EVERY):
            with suppress(DBAPIError, PoolTimeout), self.environment.database.transaction() as session:
                enqueue(session, SealUploads(self.environment.settings.spool_id))

    def _calm(self) -> None:
        """Wait until everything was sent, abandoned uploads are sealed, and all jobs have ended."""
        began = time.monotonic()
        self._say("no more kills; waiting for the uploads")
        self.clients.stop()
        if self.browser is not None:
            self.browser.stop()
        self._wait(lambda: self.clients.is_done and (self.browser is None or self.browser.is_done), began)
        self._say("everything was sent; waiting for the sealing, and for the jobs")
        self._wait(self._all_over, began)
        self.calm_after = time.monotonic() - began

    def _wait(self, done: Callable[[], bool], began: float) -> None:
        while not done() and time.monotonic() < began + _CALM_WITHIN:
            self._scheduler.turn()

    def _all_over(self) -> bool:
        time.sleep(0.3)
        is_open = "SELECT 1 FROM uploads WHERE state = 'open' LIMIT 1"
        is_live = "SELECT 1 FROM jobs WHERE NOT state = ANY(%s) AND kind <> 'uploads.seal' LIMIT 1"
        with suppress(psycopg.OperationalError):
            ask = self.environment.watchdog.ask
            return not ask(is_open) and not ask(is_live, list(FINISHED))
        return False


_OF_APIS = {"api": UploadRun._api, "reset_link": UploadRun._reset_link, "cut_link": UploadRun._cut_link}


def tutor_token() -> str:
    """The token of the environment's tutor."""
    return issue_token(DEVELOPMENT_KEY, sub=1, role="tutor", role_ids={"tutor": 11})
