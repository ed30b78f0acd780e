"""The composed product: each service's own command and environment, from health checks to a clean stop."""

import signal
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import pytest
import redis

from models.people import StudentProfile, TutorProfile, User
from tests.compose.live.conftest import Host
from tests.waiting import TIMEOUT, wait_for
from worker.access.issue_token import issue_token
from worker.database import Database
from worker.settings import Settings

RECORDING = Path(__file__).parents[2] / "data" / "vp9.webm"
SERVERS = {"postgres", "redis"}


def _teach(host: Host, variables: dict[str, str]) -> httpx.Client:
    """A tutor and a student as the platform would make them, and the tutor's way into the API."""
    database = Database(Settings(database_url=host.environment("api")["DATABASE_URL"]).sqlalchemy_url, pool_size=1)
    with database.transaction() as session:
        people = [(1, "Kush"), (2, "Jediael")]
        session.add_all(User(id=id_, first_name=name, email=f"{name}@example.org") for id_, name in people)
        session.flush()
        session.add_all([TutorProfile(id=11, user_id=1), StudentProfile(id=22, user_id=2)])
    database.close()
    token = issue_token(variables["SECRET_KEY"], sub=1, role="tutor", role_ids={"tutor": 11})
    return httpx.Client(base_url=host.url("8090"), headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT)


def _record_a_lesson(api: httpx.Client, student: dict[str, str]) -> dict[str, Any]:
    """Book, open the board, upload; answers the recording when its job is over."""

    def post(path: str, **body: Any) -> dict[str, Any]:
        response = api.post(path, **body)
        assert response.is_success, response.text
        document: dict[str, Any] = response.json()
        return document

    booking = post("/v1/bookings", json={"student_id": 22, "subject": "Mathematics"})
    post(f"/v1/bookings/{booking['id']}/accept", headers=student)
    lesson = post("/v1/whiteboard/sessions", json={"booking_id": booking["id"], "session_title": "Fractions"})
    with RECORDING.open("rb") as body:
        accepted = post("/v1/recordings", data={"session_id": str(lesson["id"])}, files={"file": ("a.webm", body)})

    def job() -> dict[str, Any]:
        document: dict[str, Any] = api.get(f"/v1/jobs/{accepted['job_id']}").json()
        return document

    wait_for(lambda: job()["finished_at"] is not None, pause=0.1)
    assert job()["state"] == "succeeded", job()
    recording: dict[str, Any] = api.get(f"/v1/recordings/{accepted['recording_id']}").json()
    return recording


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _stop(host: Host) -> None:
    """SIGTERM to all of ours at once, then to the broker: each must end by itself."""
    for names in (host.running.keys() - SERVERS, SERVERS & host.running.keys()):
        for name in names:
            host.running[name].signal(signal.SIGTERM)
        for name in names:
            assert host.running[name].wait(TIMEOUT), f"{name} lives on"


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_compose_starts_makes_a_lesson_of_a_recording(host: Host, variables: dict[str, str]) -> None:
    with _teach(host, variables) as api:
        token = issue_token(variables["SECRET_KEY"], sub=2, role="student", role_ids={"student": 22})
        recording = _record_a_lesson(api, {"Authorization": f"Bearer {token}"})
        playback = api.get(f"/v1/recordings/{recording['id']}/playback").json()

    assert recording["is_available"] is True
    copy = playback["renditions"][0]
    assert len(httpx.get(copy["url"]).content) == copy["bytes"]
    # Keeping the source is an order of its own; then the volume that API and worker share is empty again.
    spool = host.place("api", "/var/lib/astegni/spool")
    assert spool == host.place("worker-media", "/var/lib/astegni/spool")
    wait_for(lambda: not _files(spool))

    with redis.Redis(port=host.ports["redis"], password=variables["REDIS_PASSWORD"]) as broker:
        configuration = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "save": ""}
        assert broker.config_get(*configuration) == configuration
    with redis.Redis(port=host.ports["redis"]) as outsider, pytest.raises(redis.AuthenticationError):
        outsider.ping()
    assert httpx.get(host.url("5555")).status_code == httpx.codes.UNAUTHORIZED
    user, _, password = variables["FLOWER_BASIC_AUTH"].partition(":")
    assert httpx.get(host.url("5555"), auth=(user, password), follow_redirects=True).status_code == httpx.codes.OK

    mains = [psutil.Process(process.pid) for process in host.running.values()]
    family = [*mains, *(child for main in mains for child in main.children(recursive=True))]
    assert len(family) > len(mains)
    _stop(host)
    wait_for(lambda: not any(map(_lives, family)), details=lambda: [process for process in family if _lives(process)])
    ends = {name: process.exit_code for name, process in host.running.items()}
    # uvicorn ends by the signal that stopped it.
    assert ends.pop("api") in {0, -signal.SIGTERM}
    assert ends == dict.fromkeys(ends, 0)
    # The file system of a container is read-only.
    assert [file for name in host.running for file in _files(host.root(name))] == []
