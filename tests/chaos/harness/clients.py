"""Clients during the faults: they order jobs, upload recordings, delete, cancel and read."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from uuid import UUID

import httpx2 as httpx
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tests.chaos.harness.environment import Environment
from tests.chaos.harness.plan import Plan, Request
from tests.chaos.harness.work import ChaosOrder, PoisonOrder
from tests.waiting import TIMEOUT
from worker.errors import Conflict
from worker.jobs.runs.cancel import cancel_job

_AGAIN = 0.5
_LOOK_EVERY = 0.4
# Uploads a second while the broker is frozen, and how many of them there may be in all.
_BURST = 1.5
_SPARE = 150


class Clients:
    """Threads that carry out the requests of a plan, each until it is answered."""

    def __init__(self, environment: Environment, plan: Plan) -> None:
        self._environment = environment
        self._plan = plan
        self._stopping = Event()
        self._pool = ThreadPoolExecutor(9, thread_name_prefix="client")
        self.request_count = len(plan.requests)
        self._sessions = {request.number: environment.new_session() for request in plan.requests if request.clip}
        self._spare = [environment.new_session() for _n in range(_SPARE)]
        self._bursts: list[Future[None]] = []

    def start(self) -> None:
        """Begin; the plan's clock starts now."""
        start = time.monotonic()
        self._walks = [self._pool.submit(self._look)]
        self._walks += [self._pool.submit(self._walk, start, lane) for lane in range(6)]

    def burst(self, seconds: float) -> None:
        """Upload more for so long: while the broker is frozen it should be as quick as ever."""
        requests: list[Request] = []
        while self._spare and len(requests) < seconds * _BURST:
            number = 1_000_000 + len(self._spare)
            self._sessions[number] = self._spare.pop()
            requests.append(Request(0.0, number, "record", clip="audio.webm"))
        self.request_count += len(requests)
        self._bursts.append(self._pool.submit(self._upload_all, requests))

    def _upload_all(self, requests: list[Request]) -> None:
        for request in requests:
            self._record(request, request.clip or "")
            time.sleep(1 / _BURST)

    def finish(self) -> None:
        """Wait until every request was answered; raises the error of any thread."""
        for walk in [*self._walks[1:], *self._bursts]:
            walk.result(300)
        self._stopping.set()
        self._walks[0].result(TIMEOUT)
        self._pool.shutdown()

    def _walk(self, start: float, lane: int) -> None:
        for request in self._plan.requests[lane::6]:
            time.sleep(max(0.0, start + request.at - time.monotonic()))
            if request.clip:
                self._record(request, request.clip)
            else:
                self._submit_order(request)

    def _submit_order(self, request: Request) -> None:
        make = PoisonOrder if request.what == "die" else ChaosOrder
        job = self._environment.submit(make(request.number, request.what, request.seconds))
        if request.then:
            time.sleep(request.then_after)
            self._until_done(lambda: self._cancel(job))

    def _cancel(self, job: UUID) -> bool:
        try:
            with self._environment.database.transaction() as session:
                cancel_job(session, {}, job)
        except (DBAPIError, PoolTimeout):
            return False
        except Conflict:
            return True
        self._environment.event_log.write("cancelled", job=str(job))
        return True

    def _record(self, request: Request, clip: str) -> None:
        headers = {"Idempotency-Key": f"recording-{self._plan.seed}-{request.number}"}
        document: dict[str, str | int] = {}

        def post() -> bool:
            response = self._answer(
                "POST", lambda: self._environment.post_recording(self._sessions[request.number], clip, headers=headers)
            )
            if response is not None and response.status_code == 202:
                document.update(response.json())
                return True
            return False

        self._until_done(post)
        self._environment.event_log.write(
            "submitted", job=document["job_id"], kind="recording", recording=document["recording_id"]
        )
        if request.then:
            time.sleep(request.then_after)
            self._until_done(lambda: self._delete(int(document["recording_id"])))

    def _delete(self, recording: int) -> bool:
        response = self._answer("DELETE", lambda: self._environment.http.delete(f"/v1/recordings/{recording}"))
        if response is None or response.status_code not in {204, 404}:
            return False
        self._environment.event_log.write("deleted", recording=recording)
        return True

    def _look(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY):
            self._answer("GET", lambda: self._environment.http.get("/v1/jobs"))

    def _answer(self, method: str, ask: Callable[[], httpx.Response]) -> httpx.Response | None:
        sent_at = time.time()
        try:
            response = ask()
        except httpx.TransportError as error:
            self._environment.event_log.write("unanswered", method=method, sent_at=sent_at, error=type(error).__name__)
            return None
        self._environment.event_log.write(
            "answered",
            method=method,
            sent_at=sent_at,
            took=time.time() - sent_at,
            status=response.status_code,
            type=response.headers.get("content-type", ""),
            body=response.text[:300] if response.status_code >= 500 else "",
        )
        return response

    def _until_done(self, step: Callable[[], bool]) -> None:
        while not step():
            time.sleep(_AGAIN)
