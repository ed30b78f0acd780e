"""Tutors who send recordings, each to one API, one of them ten times as many; and quick jobs and reminders beside."""

import hashlib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, cycle

import httpx2 as httpx
import psycopg

from benchmarks.material.samples import distinct
from benchmarks.messages.due import make_lessons, plan
from tests.chaos.harness.environment import CLIPS, Environment
from tests.chaos.harness.work import ChaosOrder
from tests.waiting import TIMEOUT
from worker.access.issue_token import issue_token
from worker.settings import DEVELOPMENT_KEY

BUSY = 1
_AGAIN = 0.5
# The busy tutor sends so many recordings at once, as a school behind one account does.
_AT_ONCE = 4
_SESSION = (
    "INSERT INTO whiteboard_sessions (id, host_profile_id, host_profile_type) VALUES (%s, %s, 'tutor') RETURNING id"
)


@dataclass(frozen=True)
class Size:
    """How much work one turn brings: recordings of each tutor (of the busy one `times` as many), and the rest."""

    tutors: int = 6
    recordings: int = 2
    times: int = 10
    quick_jobs: int = 300
    reminders: int = 300


@dataclass
class SentRecording:
    """A recording that some API has acknowledged."""

    recording_id: int
    tutor: int
    sha1: str


@dataclass
class Work:
    """What was asked for in one turn."""

    recordings: list[SentRecording] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)


class Tutors:
    """The clients of an installation. Their threads end with `finish`."""

    def __init__(self, environment: Environment, size: Size) -> None:
        self._environment = environment
        self._size = size
        self._numbers = count(1)
        self._orders = count(1)
        self._sessions = count(10_000)
        self._pool = ThreadPoolExecutor(size.tutors + _AT_ONCE + 1, thread_name_prefix="tutor")
        self._calls: list[Future[None]] = []
        self._lock = threading.Lock()
        self._clip = (CLIPS / "audio.webm").read_bytes()

    def prepare(self) -> None:
        """Write the tutors, their students and lessons, of which they are to be reminded."""
        with psycopg.connect(self._environment.settings.database_url or "", autocommit=True) as connection:
            make_lessons(connection, max(self._size.reminders, 4 * self._size.tutors))

    def begin(self, name: str, addresses: Sequence[str], size: Size) -> Work:
        """Ask for one turn's work at these APIs; `name` differs from turn to turn."""
        work = Work()
        for number in range(_AT_ONCE):
            share = len(range(number, size.recordings * size.times, _AT_ONCE))
            self._submit(BUSY, order_of_trial(addresses, number), share, work)
        for tutor in range(BUSY + 1, size.tutors + 1):
            self._submit(tutor, order_of_trial(addresses, tutor), size.recordings, work)
        self._calls.append(self._pool.submit(self._order, size.quick_jobs, work))
        with psycopg.connect(self._environment.settings.database_url or "", autocommit=True) as connection:
            plan(connection, name, size.reminders)
        return work

    @property
    def are_done(self) -> bool:
        """Whether everything was acknowledged; raises the error of any thread."""
        done = [call for call in self._calls if call.done()]
        for call in done:
            call.result()
        return len(done) == len(self._calls)

    def close(self) -> None:
        """Let nobody ask for more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, tutor: int, addresses: Sequence[str], recordings: int, work: Work) -> None:
        self._calls.append(self._pool.submit(self._send_all, tutor, addresses, recordings, work))

    def _send_all(self, tutor: int, addresses: Sequence[str], recordings: int, work: Work) -> None:
        token = issue_token(DEVELOPMENT_KEY, sub=tutor, role="tutor", role_ids={"tutor": tutor})
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(headers=headers, timeout=TIMEOUT, trust_env=False) as http:
            for _n in range(recordings):
                self._send(http, tutor, addresses, work)

    def _send(self, http: httpx.Client, tutor: int, addresses: Sequence[str], work: Work) -> None:
        """Send one recording until it is acknowledged: to the tutor's API, and when that is away to another."""
        with self._lock:
            number, session = next(self._numbers), next(self._sessions)
        self._environment.watchdog.ask(_SESSION, session, tutor)
        content = distinct(self._clip, number)
        for address in cycle(addresses):
            with suppress(httpx.TransportError):
                response = http.post(
                    f"{address}/v1/recordings",
                    data={"session_id": str(session)},
                    files={"file": ("lesson.webm", content)},
                    headers={"Idempotency-Key": f"scale-{number}"},
                )
                if response.status_code == 202:
                    sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
                    work.recordings.append(SentRecording(response.json()["recording_id"], tutor, sha1))
                    return
            time.sleep(_AGAIN)

    def _order(self, jobs: int, work: Work) -> None:
        for _n in range(jobs):
            work.jobs.append(str(self._environment.submit(ChaosOrder(next(self._orders), "go"))))


def order_of_trial(addresses: Sequence[str], first: int) -> list[str]:
    """The addresses in the order in which somebody tries them, beginning with the one of this number."""
    at = first % len(addresses)
    return [*addresses[at:], *addresses[:at]]
