"""Broken files as people upload them, through the API and its job: what the recording says at the end."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from devstack.emulator.credentials import Credentials
from tests.api.conftest import Bearer, ClientFor
from tests.conftest import MakeSettings, School
from worker.api.services import Services
from worker.database import Database
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.jobs.runs.run_lease import LeaseTiming
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS
from worker.workflows.recordings.ingest_recording import ingest_recording

DATA = Path(__file__).parent.parent / "data"
SOUND = (DATA / "audio.webm").read_bytes()
CUT = (DATA / "recordings" / "cut0_cap_mp4_avc1_opus.mp4").read_bytes()


@pytest.fixture
def services(settings: MakeSettings, database: Database, b2: Credentials) -> Services:
    return Services(settings(spool_reserve_bytes=0), database, failure_hooks=FAILURE_HOOKS)


Ingest = Callable[[bytes], tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture
def ingest(client: TestClient, services: Services, client_for: ClientFor, bearer: Bearer, school: School) -> Ingest:
    """`ingest(content)`: uploads it and performs its job; returns the recording and the job as the API shows them."""
    tutor = client_for(school.tutor)
    body = {"booking_id": school.booking_id, "session_title": "Algebra"}
    session_id = tutor.ask("POST", "/v1/whiteboard/sessions", body)[1]["id"]

    def run(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        response = client.post(
            "/v1/recordings",
            data={"session_id": session_id},
            files=[("file", ("lesson.webm", content))],
            headers=bearer(school.tutor),
        )
        assert response.status_code == 202, response.text
        accepted = response.json()
        performer = Performer(services.database, "test", LeaseTiming(30, 10, 0.05), 0.01, FAILURE_HOOKS)
        with suppress(JobNotDone):
            performer.perform(
                UUID(accepted["job_id"]), lambda job, order: ingest_recording(job, order, services.context)
            )
        return (
            tutor.ask("GET", f"/v1/recordings/{accepted['recording_id']}")[1],
            tutor.ask("GET", f"/v1/jobs/{accepted['job_id']}")[1],
        )

    return run


@pytest.mark.parametrize(
    ("content", "seconds", "repairs"),
    [
        (SOUND[:60_000], 4, {"cut-off"}),
        (SOUND[:60_000] + SOUND, 12, {"cut-off"}),
        (b"--x\r\nContent-Type: video/webm\r\n\r\n" + SOUND, 8, set()),
        (SOUND + b"\x5f\xff\x84new!", 8, set()),
        (CUT, 5, {"cut-off", "sound-lost"}),
    ],
    ids=["cut", "cut-and-begun-again", "multipart", "unknown-element", "mp4-of-a-dead-tab"],
)
def test_what_can_be_played_is_played_and_what_is_missing_is_said(
    content: bytes, seconds: int, repairs: set[str], ingest: Ingest
) -> None:
    recording, job = ingest(content)

    assert (job["state"], recording["is_available"], recording["error"]) == ("succeeded", True, None)
    assert abs(recording["duration_seconds"] - seconds) <= 1
    assert {repair["kind"] for repair in recording["recording_metadata"]["repairs"]} == repairs
    assert "bytes_kept_until" not in recording["recording_metadata"]


@pytest.mark.parametrize(
    ("content", "reason", "has_deadline"),
    [
        (SOUND[:100], "damaged", True),
        (SOUND + b"\xec\x80" * 400_000, "too-complex", True),
        (SOUND[30_000:], "missing-init", True),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(999), "unsupported-format", True),
        (b"<!DOCTYPE html><html></html>", "not-a-recording", False),
        (b"PK\x03\x04" + bytes(999), "not-a-recording", False),
    ],
    ids=["header", "dear", "no-beginning", "windows-media", "web-page", "zip"],
)
def test_what_is_refused_says_why_and_until_when_its_bytes_are_kept(
    content: bytes, reason: str, has_deadline: bool, ingest: Ingest, services: Services
) -> None:
    recording, job = ingest(content)

    assert (job["state"], job["attempt"]) == ("failed", 1)
    assert (job["error"]["code"], job["error"]["reason"]) == ("media-rejected", reason)
    assert (recording["is_processing"], recording["is_available"], recording["error"]) == (False, False, job["error"])
    until = recording["recording_metadata"].get("bytes_kept_until")
    assert (until is not None) is has_deadline
    if has_deadline:
        left = datetime.fromisoformat(until) - datetime.now(UTC)
        assert timedelta(0) < left <= timedelta(seconds=services.settings.spool_retention)
