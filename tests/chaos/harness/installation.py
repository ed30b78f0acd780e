"""An environment with beat and a mail server, and methods that break and repair its components."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import httpx2 as httpx
import psutil
from sqlalchemy import text

from devstack.process import ChildProcess, wait_until
from devstack.supervisor import http_ready
from tests.chaos.harness.environment import Environment, make_template
from tests.chaos.harness.mail_server import MailServer
from tests.chaos.harness.proxy import Proxy
from tests.chaos.harness.servers import Servers
from tests.chaos.harness.work import ChaosOrder
from tests.chaos.harness.workers import children, continue_process
from tests.forking.forked_process import Start, start_process
from tests.waiting import TIMEOUT
from worker import clock
from worker.cli.local_stack.environment import environment_for
from worker.reminders.delivery.test_messages import order_test
from worker.settings import Settings


class Installation:
    """Everything that runs; intervals are `quick` times shorter than in production."""

    def __init__(self, servers: Servers, folder: Path, *, quick: float, start: Start = start_process) -> None:
        make_template(servers, "alarms")
        self.mail = MailServer()
        self.servers = servers
        self.quick = quick
        self._folder = folder
        # The API has a line to Redis of its own: it can be cut off while workers are not.
        self._api_line = Proxy(servers.broker.port)
        self._beat: ChildProcess | None = None
        self._orders: list[UUID] = []
        changes: dict[str, Any] = {
            name: Settings.model_fields[name].default / quick
            for name in ("heartbeat_interval", "storage_check_interval", "queue_check_interval")
        }
        changes |= {"smtp_host": "127.0.0.1", "smtp_port": self.mail.port}
        self.environment = Environment(servers, folder, "alarms", quick=quick, start=start, **changes)

    def __enter__(self) -> Self:
        self._api_line.__enter__()
        self.start_api()
        self.environment.workers.start()
        self.start_beat()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_beat()
        self.environment.__exit__()
        self._api_line.__exit__()
        self.mail.close()

    @property
    def spool(self) -> Path:
        """Where uploads wait."""
        return Path(self.environment.settings.spool_dir)

    def metrics(self) -> str | None:
        """What the API exposes; None when it cannot be read."""
        with suppress(httpx.HTTPError):
            return str(self.environment.http.get("/metrics", timeout=10).text)
        return None

    def start_beat(self) -> None:
        """Start it, and wait until it works."""
        sign = self._folder / "beat.ready"
        sign.unlink(missing_ok=True)
        variables = environment_for(self.environment.settings) | {"READY_FILE": str(sign)}
        self._beat = self.environment.start("beat", "worker.cli", ["beat"], self._folder / "beat.log", variables)
        wait_until(sign.exists, self._beat, TIMEOUT)

    def kill_beat(self) -> None:
        """End it without a word."""
        if self._beat is not None:
            self._beat.kill()

    def kill_workers(self) -> None:
        """End all of them without a word."""
        for worker in list(self.environment.workers.running):
            self.environment.workers.forget(worker)

    def freeze_children(self) -> None:
        """The workers' children stop where they are; their main processes do not notice."""
        for worker in self.environment.workers.running:
            for child in children(worker.pid):
                psutil.Process(child).suspend()

    def continue_children(self) -> None:
        """They go on."""
        for worker in self.environment.workers.running:
            for child in children(worker.pid):
                continue_process(child)

    def start_broker(self) -> None:
        """Redis comes back, for the API as well."""
        self.servers.start_broker()
        self._api_line.target = self.servers.broker.port

    def cut_api_off(self, is_cut: bool) -> None:
        """Break the API's connections to Redis and refuse new ones, or, with False, admit them again."""
        self._api_line.refuse(is_cut)

    def start_api(self) -> None:
        """Start the only API, and wait until it answers."""
        settings = self.environment.settings
        variables = environment_for(settings) | {"REDIS_URL": self.servers.redis_url(line=self._api_line)}
        self.environment.api = self.environment.start("api", "worker.cli", ["api"], self._folder / "api.log", variables)
        wait_until(http_ready("127.0.0.1", settings.api_port, "/healthz"), self.environment.api, TIMEOUT)

    def stop_api(self) -> None:
        """End the only API."""
        assert self.environment.api is not None
        self.environment.api.kill()

    def submit_order(self) -> None:
        """Order a job."""
        self._orders.append(self.environment.submit(ChaosOrder(len(self._orders) + 1)))

    def wait_for_orders(self) -> None:
        """Every job that was ordered has been done."""
        for job in self._orders:
            self.environment.wait_for(job, "succeeded")

    def send_mail(self) -> None:
        """Order a message by mail."""
        with self.environment.database.transaction() as session:
            order_test(session, 1, "email", now=clock.now(), good_for=timedelta(minutes=30))

    def bring_mail_forward(self) -> None:
        """A retry in production values is a minute or more away; a compressed run does not wait for it."""
        if self.quick > 1:
            self.environment.watchdog.ask("UPDATE deliveries SET due_at = now() WHERE state = 'pending' RETURNING id")

    def hide_table(self) -> None:
        """The API finds other tables than its release expects."""
        self._execute("ALTER TABLE session_requests RENAME TO hidden_requests")

    def show_table(self) -> None:
        """The table has its name again."""
        self._execute("ALTER TABLE hidden_requests RENAME TO session_requests")

    def _execute(self, statement: str) -> None:
        with self.environment.database.transaction() as session:
            session.execute(text(statement))

    @contextmanager
    def clients(self, request: Callable[[], object], *, pause: float = 0.4) -> Iterator[None]:
        """Meanwhile this request is made every `pause` seconds, whatever the response."""
        done = threading.Event()

        def repeat() -> None:
            while not done.is_set():
                with suppress(httpx.HTTPError):
                    request()
                time.sleep(pause)

        thread = threading.Thread(target=repeat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def log(self) -> str:
        """The last lines of worker and beat, and the metrics."""
        return "\n".join(
            (self.environment.workers.log(), self._beat.log_tail(20) if self._beat else "", str(self.metrics()))
        )
