"""One trace from a request through its jobs to ffmpeg and B2, of real processes, at a collector of the test's own."""

import secrets
from pathlib import Path

import httpx2

from devstack.emulator.credentials import Credentials
from tests.conftest import MakeSettings, Processes, School, Sql
from tests.tracing.collector import CollectedSpan, Collector, collecting
from tests.waiting import TIMEOUT, wait_for
from worker.access.issue_token import issue_token
from worker.tracing.spans import ATTRIBUTES

AUDIO = Path(__file__).parents[1] / "data" / "audio.webm"
TITLE, FILE = "Selams-Algebra", "Hannas-Geometry.webm"
REQUEST_ID = "traced-request-1"


def parents(collector: Collector, span: CollectedSpan) -> list[str]:
    """The names of the spans around it, from the inside out."""
    by_id = {known.id: known for known in collector.spans}
    names = []
    while span.parent in by_id:
        span = by_id[span.parent]
        names.append(span.name)
    return names


def attempts(collector: Collector, kind: str) -> list[CollectedSpan]:
    """The attempts of a kind of jobs."""
    return [span for span in collector.named("job attempt") if span.attributes["astegni.job.kind"] == kind]


def test_one_trace_goes_from_the_request_to_ffmpeg(
    settings: MakeSettings,
    database_url: str,
    redis_url: str,
    b2: Credentials,
    school: School,
    processes: Processes,
    sql: Sql,
) -> None:
    key = secrets.token_hex(32)
    ((session_id,),) = sql(
        "INSERT INTO whiteboard_sessions (booking_id) VALUES (:id) RETURNING id", id=school.booking_id
    )
    with collecting() as collector:
        traced = settings(secret_key=key, spool_reserve_bytes=0, otel_exporter_otlp_endpoint=collector.address)
        url, _api = processes.api(traced)
        processes.worker(traced)
        token = issue_token(key, sub=1, role_ids={"tutor": 11})
        answer = httpx2.post(
            f"{url}/v1/recordings",
            data={"session_id": str(session_id), "title": TITLE},
            files={"file": (FILE, AUDIO.read_bytes())},
            headers={"Authorization": f"Bearer {token}", "X-Request-ID": REQUEST_ID},
            trust_env=False,
            timeout=TIMEOUT,
        )
        assert answer.status_code == 202

        # Each process sends its spans in batches of its own.
        kinds = ("recordings.ingest", "recordings.store_source")
        wait_for(
            lambda: collector.named("request") and all(attempts(collector, kind) for kind in kinds),
            details=processes.logs,
        )

        (request,) = [span for span in collector.named("request") if span.attributes["http.request.method"] == "POST"]
        assert request.attributes == {
            "http.request.method": "POST",
            "http.route": "/v1/recordings",
            "http.response.status_code": 202,
            "astegni.request.id": REQUEST_ID,
        }
        assert (request.service, request.parent) == ("astegni-api", "")
        of_trace = [span for span in collector.spans if span.trace == request.trace]
        ((ingest,), (store,)) = (attempts(collector, kind) for kind in kinds)
        assert ingest.service == "astegni-worker"
        assert ingest.parent == request.id
        recording = f"recording:{answer.json()['recording_id']}"
        assert ingest.attributes | {"astegni.job.id": ""} == {
            "astegni.job.id": "",
            "astegni.job.kind": "recordings.ingest",
            "astegni.job.attempt": 1,
            "astegni.job.subject": recording,
            "astegni.job.outcome": "succeeded",
            "astegni.request.id": REQUEST_ID,
        }
        waits = [span for span in of_trace if span.name == "job wait" and span.parent == request.id]
        assert ingest.attributes["astegni.job.id"] in {span.attributes["astegni.job.id"] for span in waits}
        # What the ingest ordered belongs to the same trace.
        assert parents(collector, store) == ["job attempt", "request"]
        for name, attribute in (("ffmpeg", "process.exit.code"), ("ffprobe", "process.exit.code"), ("b2", None)):
            inside = [span for span in of_trace if span.name == name]
            assert inside, name
            assert all(parents(collector, span)[-1] == "request" for span in inside)
            assert attribute is None or {span.attributes[attribute] for span in inside} == {0}
            assert all(span.attributes["astegni.job.id"] for span in inside)

        # Nothing that people wrote, and no attribute that is not in the list.
        assert {name for span in collector.spans for name in span.attributes} <= set(ATTRIBUTES.values())
        sent = b"".join(collector.bodies)
        private = (TITLE, FILE.partition(".")[0], token, key, b2.application_key, "INSERT", "videos/whiteboard")
        assert [text for text in private if text.encode() in sent] == []
