"""One `X-Request-ID` from the request to the API's log, the job's row, the worker's lines, and the jobs that follow."""

import json
import secrets
from pathlib import Path
from typing import Any

import httpx2

from devstack.emulator.credentials import Credentials
from tests.conftest import MakeSettings, Processes, School, Sql
from tests.waiting import TIMEOUT, wait_for
from worker.access.issue_token import issue_token

AUDIO = Path(__file__).parent.parent / "data" / "audio.webm"
LIVE = "SELECT 1 FROM jobs WHERE state NOT IN ('succeeded', 'failed', 'cancelled', 'dead')"


def _lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def test_a_request_is_followed_through_the_jobs_that_it_orders(
    settings: MakeSettings, processes: Processes, school: School, sql: Sql, redis_url: str, b2: Credentials
) -> None:
    key, request_id = secrets.token_hex(32), f"from-the-page.{secrets.token_hex(4)}"
    process_settings = settings(secret_key=key, spool_reserve_bytes=0)
    ((session_id,),) = sql(
        "INSERT INTO whiteboard_sessions (booking_id) VALUES (:id) RETURNING id", id=school.booking_id
    )
    worker = processes.worker(process_settings.model_copy(update={"log_level": "DEBUG"}))
    url, api = processes.api(process_settings)
    headers = {"Authorization": f"Bearer {issue_token(key, sub=1, role_ids={'tutor': 11})}"}
    with httpx2.Client(base_url=url, headers=headers, trust_env=False, timeout=TIMEOUT) as client:
        response = client.post(
            "/v1/recordings",
            data={"session_id": str(session_id)},
            files={"file": ("a.webm", AUDIO.read_bytes())},
            headers={"X-Request-ID": request_id},
        )
        assert (response.status_code, response.headers["X-Request-ID"]) == (202, request_id)
        other = client.get("/v1/jobs").headers["X-Request-ID"]
    wait_for(lambda: not sql(LIVE), within=2 * TIMEOUT, details=lambda: worker.log_tail(40))
    processes.close()

    jobs = sql("SELECT id::text, kind, state, request_id FROM jobs WHERE principal <> 'beat'")
    # The source goes to B2 by a job that the ingest orders.
    assert {job.kind for job in jobs} >= {"recordings.ingest", "recordings.store_source"}
    assert {(job.state, job.request_id) for job in jobs} == {("succeeded", request_id)}
    requests = {(line["route"], line["status"]) for line in _lines(api.log) if line.get("request_id") == request_id}
    assert requests == {("/v1/recordings", 202)}
    assert other != request_id
    for job in jobs:
        of_the_job = [line for line in _lines(worker.log) if line.get("job_id") == job.id and "kind" in line]
        assert {line["event"] for line in of_the_job} >= {"job_started", "job_succeeded"}
        assert {line["request_id"] for line in of_the_job} == {request_id}
    programs = [line for line in _lines(worker.log) if line["event"] == "media_process_ended"]
    assert {line["program"] for line in programs} == {"ffmpeg", "ffprobe"}
    assert {(line["request_id"], line["status"]) for line in programs} == {(request_id, 0)}
