"""Every alarm about a part of the installation is caused, rings, and stops when its cause is gone."""

import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from devstack.emulator.credentials import Credentials
from devstack.process import ChildProcess, wait_until
from tests.chaos.mayhem.alarms import Alarms, read_rules
from tests.chaos.mayhem.environment import Environment, make_template
from tests.chaos.mayhem.parts import Parts
from tests.chaos.mayhem.work import ChaosOrder
from tests.conftest import MakeSettings
from tests.forking.forked_process import ForkServer
from worker import clock
from worker.api.app import create_api
from worker.api.services import Services
from worker.cli.local_stack.environment import environment_for
from worker.database import Database
from worker.reminders.delivery.test_messages import order_test
from worker.settings import Settings

ROOT = Path(__file__).parents[2]
# Intervals, and thresholds in seconds, are this many times shorter than in production.
QUICK = 10.0
# In production an alarm rings within two minutes; here an end for what never comes, on a machine that is busy.
PATIENCE = 120.0


class MailServer:
    """A server that refuses whoever connects for now, until it is told to accept."""

    def __init__(self) -> None:
        self.accepts = False
        server = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                if not server.accepts:
                    self.wfile.write(b"421 4.3.2 Service not available, closing transmission channel\r\n")
                    return
                self.wfile.write(b"220 mail.example ESMTP\r\n")
                in_data = False
                for line in self.rfile:
                    word = line.strip().upper()
                    if in_data:
                        if word != b".":
                            continue
                        in_data = False
                    elif word == b"DATA":
                        in_data = True
                        self.wfile.write(b"354 Go on\r\n")
                        continue
                    elif word == b"QUIT":
                        self.wfile.write(b"221 Bye\r\n")
                        return
                    self.wfile.write(b"250 OK\r\n")

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that goes away is nothing to report."""

        self._server = Server(("127.0.0.1", 0), Session)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Installation:
    """Everything that runs, and what its alarms say."""

    environment: Environment
    mail: MailServer
    alarms: Alarms = field(init=False)
    beat: ChildProcess | None = None

    def __post_init__(self) -> None:
        self.alarms = Alarms(self._metrics, quick=QUICK)

    def _metrics(self) -> str | None:
        with suppress(httpx.HTTPError):
            return str(self.environment.http.get("/metrics").text)
        return None

    def start_beat(self) -> None:
        sign = self.environment.folder / "beat.ready"
        sign.unlink(missing_ok=True)
        environment = environment_for(self.environment.settings) | {"READY_FILE": str(sign)}
        self.beat = self.environment.start(
            "beat", "worker.cli", ["beat"], self.environment.folder / "beat.log", environment
        )
        wait_until(sign.exists, self.beat, PATIENCE)

    def kill_beat(self) -> None:
        assert self.beat is not None
        self.beat.kill()

    def kill_workers(self) -> None:
        for worker in list(self.environment.workers.running):
            self.environment.workers.forget(worker)

    def send_mail(self) -> None:
        with self.environment.database.transaction() as session:
            order_test(session, 1, "email", now=clock.now(), good_for=timedelta(minutes=30))

    def accept_mail(self) -> None:
        """The provider works again; a retry in production values is a minute off, so it is brought forward."""
        self.mail.accepts = True
        self.environment.watchdog.ask("UPDATE deliveries SET due_at = now() WHERE state = 'pending' RETURNING id")

    def told(self) -> str:
        return self.environment.workers.log() + (self.beat.log_tail(20) if self.beat else "")

    def is_quiet(self) -> float:
        return self.alarms.wait_until(lambda names: not names, within=PATIENCE, told=self.told)

    def rings(self, *wanted: str) -> float:
        return self.alarms.wait_until(lambda names: set(wanted) <= names, within=PATIENCE, told=self.told)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, fork_server: ForkServer) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("alarms")
    mail = MailServer()
    with Parts(folder / "parts") as parts:
        make_template(parts, "alarms")
        changes = {
            "heartbeat_interval": Settings.model_fields["heartbeat_interval"].default / QUICK,
            "storage_check_interval": Settings.model_fields["storage_check_interval"].default / QUICK,
            "smtp_host": "127.0.0.1",
            "smtp_port": mail.port,
        }
        with Environment(parts, folder, "alarms", quick=QUICK, start=fork_server.start, **changes) as environment:
            running = Installation(environment, mail)
            environment.start_api()
            environment.workers.start()
            running.start_beat()
            yield running
            running.kill_beat()
    mail.close()


def test_alarms_ring_while_their_cause_lasts(installation: Installation) -> None:
    """One after the other on one installation: between two of them it is quiet again."""
    environment, parts = installation.environment, installation.environment.parts
    installation.is_quiet()

    @contextmanager
    def while_(name: str, break_: Callable[[], object], repair: Callable[[], object]) -> Iterator[None]:
        break_()
        try:
            yield
        finally:
            repair()
        installation.is_quiet()

    with while_("workers", installation.kill_workers, environment.workers.start):
        waiting = environment.give(ChaosOrder(1))
        installation.rings("NoWorkers", "LoopStopped", "JobsWait")
    environment.wait_for(waiting, "succeeded")

    with while_("broker", parts.stop_broker, parts.start_broker):
        waiting = environment.give(ChaosOrder(2))
        installation.rings("BrokerAway", "NoWorkers", "JobsWait")
    environment.wait_for(waiting, "succeeded")

    with while_("beat", installation.kill_beat, installation.start_beat):
        installation.rings("BeatStopped")

    with while_("storage", parts.stop_storage, parts.start_storage):
        installation.rings("StorageAway")

    with while_("database", parts.stop_database, parts.start_database):
        installation.rings("DatabaseAway")

    with while_("mail", installation.send_mail, installation.accept_mail):
        installation.rings("MailPutOff")


def test_a_full_spool_rings(settings: MakeSettings, database: Database, small_disk: Callable[..., Path]) -> None:
    disk = small_disk("4m")
    with TestClient(
        create_api(Services(settings(spool_dir=disk / "spool", spool_reserve_bytes=1_000_000), database, {}))
    ) as api:
        alarms = Alarms(lambda: str(api.get("/metrics").text), quick=QUICK)
        assert "SpoolFull" not in alarms.ringing()
        (disk / "bytes").write_bytes(bytes(3_500_000))
        alarms.wait_until(lambda names: "SpoolFull" in names, within=PATIENCE, told=str)
        (disk / "bytes").unlink()
        alarms.wait_until(lambda names: "SpoolFull" not in names, within=PATIENCE, told=str)


def test_alarms_watch_what_is_exposed_and_are_documented(
    settings: MakeSettings, database: Database, b2: Credentials, redis_url: str
) -> None:
    with TestClient(create_api(Services(settings(), database, {}))) as api:
        api.get("/healthz")
        exposed = {
            name
            for family in text_string_to_metric_families(api.get("/metrics").text)
            for name in (family.name, *(sample.name for sample in family.samples))
        }
    watched = {name for rule in read_rules() for name in re.findall(r"astegni_\w+", rule.expression)}
    # There is no active series here.
    assert watched - exposed - {"astegni_series_filled_days"} == set()
    operations = (ROOT / "docs" / "operations.md").read_text()
    missing = [rule.name for rule in read_rules() if f"`{rule.name}`" not in operations]
    assert not missing
