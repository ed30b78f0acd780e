"""What is reported to Sentry: a real client, and a server that receives its envelopes."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from structlog.contextvars import bound_contextvars

from tests.conftest import MakeSettings
from tests.forking.forked_process import ForkServer
from tests.jobs.live.worker_stack import WorkerStack
from tests.waiting import wait_for
from worker.jobs.operations.metrics import queue_metrics
from worker.settings import Settings
from worker.tracing.crashes import report_crash
from worker.tracing.tracing import Tracing


@contextmanager
def sentry() -> Iterator[tuple[str, list[bytes]]]:
    """The DSN of a project on this machine, and the envelopes that arrive there."""
    envelopes: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/api/42/envelope/"
            envelopes.append(decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_arguments: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://abc123@127.0.0.1:{server.server_port}/42", envelopes
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def crash(title: str) -> None:
    try:
        raise KeyError(title)
    except KeyError as error:
        raise RuntimeError(f"the lesson {title}") from error


def test_types_and_places_are_told_and_nothing_else() -> None:
    with sentry() as (dsn, envelopes):
        tracing = Tracing(Settings(sentry_dsn=dsn), "worker")
        tracing.start()
        try:
            with bound_contextvars(job_id="17", kind="recordings.ingest", request_id="r-1", title="Geometry"):
                with pytest.raises(RuntimeError) as caught:
                    crash("Selams-Algebra")
                report_crash(caught.value)
        finally:
            tracing.stop()
        report_crash(caught.value)
    (envelope,) = envelopes
    event = json.loads(envelope.split(b"\n")[2])
    inner, outer = event["exception"]["values"]
    assert (inner["type"], outer["type"]) == ("KeyError", "RuntimeError")
    assert outer["stacktrace"]["frames"][-1]["function"] == "crash"
    assert event["tags"] == {
        "astegni.job.id": "17",
        "astegni.job.kind": "recordings.ingest",
        "astegni.request.id": "r-1",
        "process": "worker",
    }
    assert set(event) <= {
        *("event_id", "timestamp", "level", "platform", "exception", "tags", "release", "environment"),
    }
    assert b"Selams" not in envelope
    assert b"Geometry" not in envelope


@pytest.mark.parametrize("dsn", ["https://sentry.example/42", "abc@sentry.example/42", "https://abc@sentry.example/"])
def test_what_is_no_dsn_is_refused(dsn: str) -> None:
    with pytest.raises(ValueError, match="must be a DSN"):
        Settings(sentry_dsn=dsn)


def test_a_worker_tells_of_each_attempt_that_crashed(
    settings: MakeSettings, database_url: str, redis_url: str, tmp_path: Path, fork_server: ForkServer
) -> None:
    """A child that the kernel ends cannot tell anybody: the ledger, its metrics and the log know of it."""
    with sentry() as (dsn, envelopes):
        stack = WorkerStack(settings(sentry_dsn=dsn), tmp_path, fork_server)
        try:
            stack.start_worker()
            crashed, refused = stack.order("crash"), stack.order("reject")
            assert stack.wait_for(crashed, "dead").attempt == 3
            stack.wait_for(refused, "failed")
            # Before the kernel ends a child: the report of an earlier job of that child might not have left it.
            wait_for(lambda: len(envelopes) == 3, details=stack.log)
            assert stack.wait_for(stack.order("segfault"), "dead").error["code"] == "worker-lost"
            with stack.database.transaction() as session:
                assert queue_metrics(session).died == 2
            assert "job_worker_lost" in stack.log()
        finally:
            stack.close()
    assert len(envelopes) == 3
    for envelope in envelopes:
        event = json.loads(envelope.split(b"\n")[2])
        (error,) = event["exception"]["values"]
        assert (error["type"], error["stacktrace"]["frames"][-1]["function"]) == ("ZeroDivisionError", "work")
        assert event["tags"]["astegni.job.id"] == str(crashed)
        assert b"secret" not in envelope
