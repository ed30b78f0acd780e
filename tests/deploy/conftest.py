"""What the files of deploy/ are compared with: docker-compose.yml, the settings, and what a worker needs.

And a small installation that Prometheus scrapes, as those files say.
"""

import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
import yaml

from devstack.emulator.credentials import Credentials
from devstack.ports import free_port
from tests.chaos.harness.mail_server import MailServer
from tests.chaos.harness.prometheus import Prometheus
from tests.conftest import MakeSettings, Platform, Processes, School, Sql
from tests.waiting import TIMEOUT
from worker.access.callers import UserCaller
from worker.access.issue_token import issue_token
from worker.app import _GIVE_BACK_SECONDS
from worker.celery_settings import celery_config
from worker.media.processes.budget import Budget
from worker.settings import Settings

ROOT = Path(__file__).parents[2]
# Variables that hold secrets; the rest may be read by everybody who administers the machines.
SECRETS = frozenset(
    {
        *("SECRET_KEY", "SECRET_KEY_PREVIOUS", "SMTP_PASSWORD", "BACKBLAZE_APPLICATION_KEY", "DATABASE_URL"),
        *("PLATFORM_DATABASE_URL", "REDIS_URL", "FLOWER_BASIC_AUTH"),
    }
)
# Read by Python, and by the processes before there are settings.
NO_SETTINGS = frozenset({"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "READY_FILE"})
_MIB = 1024**2
AUDIO = ROOT / "tests" / "data" / "audio.webm"
QUICK = 10.0
# Rows of what this installation does not do by itself within a minute. Bytes on B2 are summed once a minute: some are
# there before the first scrape.
_ROWS = """
WITH pull AS (INSERT INTO platform_pulls (kind, pulled_at) VALUES ('lesson', now()) ON CONFLICT DO NOTHING),
     pruner AS (INSERT INTO jobs (kind, queue, state, finished_at)
                VALUES ('upkeep.prune_ledger', 'default', 'succeeded', now())),
     board AS (INSERT INTO whiteboard_sessions (status) VALUES ('completed') RETURNING id),
     recording AS (INSERT INTO whiteboard_session_recordings (session_id) SELECT id FROM board RETURNING id),
     playback AS (INSERT INTO recording_renditions (recording_id, name, state, object_name, bytes)
                  SELECT id, 'playback', 'ready', 'videos/whiteboard/playback', 1 FROM recording)
INSERT INTO schedule_series (tutor_id, has_students, schedule_date, start_time, end_time, timezone, rrule,
                             recurrence_pattern, status, expanded_until)
VALUES (11, false, current_date, '10:00', '11:00', 'UTC', 'FREQ=DAILY', 'Every day', 'active', current_date + 90)
"""
_UPLOAD = """
INSERT INTO uploads (id, principal, session_id, spool_id, state, reserved)
VALUES (repeat('a', 32), 'user:1', :session_id, 'shared', 'finished', 0)
"""
# The main process, and what a child has when it is replaced (worker/celery_settings.py), in MiB.
_MAIN = 100


@pytest.fixture(scope="session")
def compose_secrets() -> dict[str, frozenset[str]]:
    """The secrets of each process, as docker-compose.yml gives them."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return {name: SECRETS.intersection(service["environment"]) for name, service in services.items()}


@pytest.fixture(scope="session")
def stop_seconds() -> float:
    """How long a worker needs after SIGTERM."""
    soft: float = celery_config(Settings(redis_url="redis://127.0.0.1:1/0"))["worker_soft_shutdown_timeout"]
    return soft + _GIVE_BACK_SECONDS


def least_memory(queues: str) -> int:
    """MiB that a worker of two children may use at most, each with an ffmpeg if it consumes `media`."""
    config = celery_config(Settings(redis_url="redis://127.0.0.1:1/0"))
    child: int = config["worker_max_memory_per_child"] // 1024
    ffmpeg = Budget(wall_seconds=1).memory_bytes // _MIB if "media" in queues else 0
    return _MAIN + Settings().worker_concurrency * (child + ffmpeg)


@dataclass(frozen=True)
class Watched:
    """Two APIs, a worker and beat of the school, with a session of the tutor; Prometheus scrapes them all."""

    url: str
    key: str
    session_id: int
    prometheus: Prometheus
    processes: Processes

    def client(self, caller: UserCaller) -> httpx2.Client:
        """A client of the API, with a token of this person."""
        assert caller.role is not None
        profile = {caller.role: getattr(caller, f"{caller.role}_id")}
        token = issue_token(self.key, sub=caller.user_id, role=caller.role, role_ids=profile)
        headers = {"Authorization": f"Bearer {token}"}
        return httpx2.Client(base_url=self.url, headers=headers, trust_env=False, timeout=TIMEOUT)

    def upload(self, tutor: httpx2.Client) -> None:
        """Upload a recording of sound into the session."""
        form = {"session_id": str(self.session_id)}
        answer = tutor.post("/v1/recordings", data=form, files={"file": ("a.webm", AUDIO.read_bytes())})
        assert answer.status_code == 202, answer.text


@pytest.fixture
def watched(
    settings: MakeSettings,
    database_url: str,
    redis_url: str,
    b2: Credentials,
    school: School,
    platform: Platform,
    processes: Processes,
    sql: Sql,
    tmp_path: Path,
) -> Iterator[Watched]:
    """An installation that is scraped ten times as often as in production."""
    if not Prometheus.is_installed():
        pytest.skip("prometheus is missing (Debian: apt-get install prometheus): no query of the dashboard was tried")
    key, ports, mail = secrets.token_hex(32), [free_port(), free_port()], MailServer()
    common = {"secret_key": key, "spool_reserve_bytes": 0, "queue_check_interval": 1, "heartbeat_interval": 1}
    common |= {"smtp_host": "127.0.0.1", "smtp_port": mail.port}
    url, _api = processes.api(settings(**common))
    # The people of the platform's sample are others.
    with_platform, _api = processes.api(settings(**common, platform_database_url=platform.url))
    ports.append(urlsplit(with_platform).port or 0)
    processes.worker(settings(**common, metrics_port=ports[0]))
    processes.beat(settings(**common, metrics_port=ports[1]))
    sql(_ROWS)
    ((session_id,),) = sql(
        "INSERT INTO whiteboard_sessions (booking_id) VALUES (:id) RETURNING id", id=school.booking_id
    )
    sql(_UPLOAD, session_id=session_id)
    scraped = Prometheus(urlsplit(url).port or 0, tmp_path / "prometheus", process_ports=ports, quick=QUICK)
    with closing(mail), scraped as prometheus:
        yield Watched(url, key, session_id, prometheus, processes)
