"""Messages on the live stack: real workers, beats, broker and database, and a real mail server."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from devstack.process import ChildProcess, wait_until
from models.deliveries import Delivery
from tests.conftest import MakeSettings
from tests.forking.forked_process import ForkServer
from tests.reminders.sending.conftest import DeliveryFixture, MailSink
from tests.waiting import TIMEOUT, wait_for
from worker.cli.local_stack.environment import environment_for
from worker.reminders.delivery.transport import message_id
from worker.settings import Settings

ROOT = Path(__file__).parents[3]
# `REMINDERS=2000 pytest tests/reminders/sending/test_live_dispatch.py` is the long run.
COUNT = int(os.environ.get("REMINDERS", "300"))


class DispatcherProcesses:
    """Workers and beats that a test starts and ends."""

    def __init__(self, settings: Settings, folder: Path, server: ForkServer) -> None:
        self.folder = folder
        self.environment = environment_for(settings) | {"PYTHONPATH": str(ROOT)}
        self._server = server
        self.running: list[ChildProcess] = []
        self.ended: list[ChildProcess] = []

    def start(self, name: str, module: str, *arguments: str, wait: bool = True) -> ChildProcess:
        number = len(self.running) + len(self.ended)
        sign = self.folder / f"{number}.ready"
        environment = self.environment | {"READY_FILE": str(sign)}
        process = self._server.start(f"{name} {number}", module, arguments, self.folder / f"{number}.log", environment)
        self.running.append(process)
        if wait:
            wait_until(sign.exists, process, TIMEOUT)
        return process

    def worker(self, *, wait: bool = True) -> ChildProcess:
        return self.start("worker", "tests.reminders.sending.live.run_dispatcher", wait=wait)

    def beat(self, *, wait: bool = True) -> ChildProcess:
        return self.start("beat", "worker.cli", "beat", wait=wait)

    def replace(self, process: ChildProcess) -> None:
        """Kill a main process, not its children: they are zombies now. Another one takes its place."""
        os.kill(process.pid, signal.SIGKILL)
        self.running.remove(process)
        self.ended.append(process)
        if process.name.startswith("beat"):
            self.beat(wait=False)
        else:
            self.worker(wait=False)

    def log(self) -> str:
        return "\n".join(process.log_tail(30) for process in self.running)

    def close(self) -> None:
        for process in self.ended:
            process.kill()
        for process in self.running:
            process.kill()


@pytest.fixture
def dispatchers(
    deliveries: DeliveryFixture,
    settings: MakeSettings,
    mail: MailSink,
    redis_url: str,
    tmp_path: Path,
    fork_server: ForkServer,
) -> Iterator[DispatcherProcesses]:
    quick = settings(
        smtp_host="127.0.0.1", smtp_port=mail.port, delivery_lease=3.0, dispatch_interval=0.3, worker_concurrency=2
    )
    crew = DispatcherProcesses(quick, tmp_path, fork_server)
    yield crew
    crew.close()


def expected_ids(deliveries: DeliveryFixture) -> set[str]:
    """The Message-ID of every mail that is to come."""
    mails = deliveries.all("SELECT key, user_id, channel FROM deliveries WHERE channel = 'email'")
    return {f"<{message_id(row)}@astegni.example>" for row in mails}


def test_nobody_is_told_twice_and_nobody_forgotten_whoever_is_killed(
    deliveries: DeliveryFixture, mail: MailSink, dispatchers: DispatcherProcesses
) -> None:
    dice = random.Random(11)
    people = deliveries.crowd(COUNT // 2)
    for _n in range(2):
        dispatchers.worker()
        dispatchers.beat()
    spread = COUNT / 40
    now = datetime.now(UTC)
    with deliveries.database.transaction() as session:
        session.add_all(
            Delivery(
                kind="recording-ready",
                user_id=person,
                channel=channel,
                key=f"recording:{person}",
                data={"recording_id": person, "session_id": 1},
                due_at=now + timedelta(seconds=dice.uniform(0, spread)),
            )
            for person in people
            for channel in ("email", "in_app")
        )
    end = time.monotonic() + spread
    kills = Counter[str]()
    while time.monotonic() < end:
        time.sleep(dice.uniform(0.3, 1.2))
        kind = "worker" if dice.random() < 0.8 else "beat"
        victim = dice.choice([process for process in dispatchers.running if process.name.startswith(kind)])
        children = psutil.Process(victim.pid).children() if kind == "worker" else []
        if children and dice.random() < 0.7:
            dice.choice(children).send_signal(signal.SIGKILL)
            kills["child"] += 1
        else:
            dispatchers.replace(victim)
            kills[kind] += 1
    deliveries.wait_until_quiet(dispatchers.log)

    states = deliveries.all("SELECT state, reason, count(*) FROM deliveries GROUP BY state, reason")
    assert [tuple(row) for row in states] == [("sent", None, len(people) * 2)]
    ids = [delivery_id for delivery_id, _to in mail.received]
    assert set(ids) == expected_ids(deliveries)
    in_app = deliveries.all("SELECT user_id FROM notifications")
    assert sorted(row.user_id for row in in_app) == people
    # A receiver that ignores the key sees duplicates only of what was being sent at a kill.
    assert len(ids) - len(set(ids)) <= kills["child"] + 2 * kills["worker"]
    assert kills["child"] > 0
    assert kills["worker"] + kills["beat"] > 0


def test_nothing_is_sent_before_it_is_due(
    deliveries: DeliveryFixture, mail: MailSink, dispatchers: DispatcherProcesses
) -> None:
    dispatchers.worker()
    people = deliveries.crowd(12)
    now = datetime.now(UTC)
    due = [now + timedelta(seconds=1 + 0.37 * number) for number in range(12)]
    ids = [
        deliveries.message(channel="email" if number % 2 else "in_app", user_id=people[number], due_at=due[number])
        for number in range(12)
    ]
    deliveries.wait_until_quiet(dispatchers.log)
    late = [
        (deliveries.delivery(delivery_id).sent_at - at).total_seconds()
        for delivery_id, at in zip(ids, due, strict=True)
    ]
    assert min(late) > 0
    assert len(mail.received) == 6


def test_an_orderly_end_loses_nothing(
    deliveries: DeliveryFixture, mail: MailSink, dispatchers: DispatcherProcesses
) -> None:
    worker = dispatchers.worker()
    for user_id in deliveries.crowd(60):
        deliveries.message(channel="email", user_id=user_id)
    wait_for(lambda: mail.received, details=dispatchers.log)
    worker.signal(signal.SIGTERM)
    assert worker.wait(120)
    dispatchers.worker()
    deliveries.wait_until_quiet(dispatchers.log)
    ids = [delivery_id for delivery_id, _to in mail.received]
    assert len(ids) == len(set(ids)) == 60
    assert deliveries.one("SELECT max(attempts) AS most FROM deliveries").most == 1


def test_a_mail_server_that_hangs_delays_mail_only(
    deliveries: DeliveryFixture, mail: MailSink, dispatchers: DispatcherProcesses
) -> None:
    mail.slowness = 60.0
    # Longer than a mail server is waited for (15 s), as in production.
    dispatchers.environment["DELIVERY_LEASE"] = "20"
    people = deliveries.crowd(20)
    deliveries.do("UPDATE users SET email = 'slow@example.org'")
    dispatchers.worker()
    mails = [deliveries.message(channel="email", user_id=person) for person in people]
    wait_for(lambda: mail.requests["slow"], details=dispatchers.log)
    now = datetime.now(UTC)
    in_app = [
        deliveries.message(user_id=person, due_at=now + timedelta(seconds=0.2 * number))
        for number, person in enumerate(people)
    ]
    wait_for(
        lambda: all(deliveries.delivery(delivery_id).state == "sent" for delivery_id in in_app),
        pause=0.1,
        details=dispatchers.log,
    )
    # All are sent while the mail server still leaves every message unanswered.
    assert mail.received == []
    assert {deliveries.delivery(delivery_id).state for delivery_id in mails} <= {"pending", "sending"}
    # It would wait for the mail server until the very end.
    dispatchers.running[0].kill()
