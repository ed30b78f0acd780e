"""The dashboard of deploy/grafana: each query returns data of a running installation."""

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from devstack.emulator.credentials import Credentials
from devstack.ports import free_port
from tests.chaos.mayhem.prometheus import Prometheus
from tests.conftest import MakeSettings, Platform, Processes, School, Sql
from tests.waiting import PATIENCE, wait_for
from worker.access.issue_token import issue_token
from worker.metrics.families import families_of

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "astegni.json").read_text())
AUDIO = ROOT / "tests" / "data" / "audio.webm"
QUICK = 10.0
# What Grafana puts there, for the scrapes of this test.
_RATE_INTERVAL = "1m"
# Rows of what this installation does not do by itself within a minute.
_ROWS = """
WITH pull AS (INSERT INTO platform_pulls (kind, pulled_at) VALUES ('lesson', now()) ON CONFLICT DO NOTHING),
     pruner AS (INSERT INTO jobs (kind, queue, state, finished_at)
                VALUES ('upkeep.prune_ledger', 'default', 'succeeded', now()))
INSERT INTO schedule_series (tutor_id, has_students, schedule_date, start_time, end_time, timezone, rrule,
                             recurrence_pattern, status, expanded_until)
VALUES (11, false, current_date, '10:00', '11:00', 'UTC', 'FREQ=DAILY', 'Every day', 'active', current_date + 90)
"""
_UPLOAD = """
INSERT INTO uploads (id, principal, session_id, spool_id, state, reserved)
VALUES (repeat('a', 32), 'user:1', :session_id, 'shared', 'finished', 0)
"""


def panels() -> Iterator[dict[str, Any]]:
    """The panels that ask something."""
    return (panel for panel in DASHBOARD["panels"] if panel["type"] != "row")


def expressions() -> list[str]:
    """The queries of all panels, as Prometheus gets them."""
    targets = [target for panel in panels() for target in panel["targets"]]
    return [target["expr"].replace("$__rate_interval", _RATE_INTERVAL) for target in targets]


def test_panels_are_told_apart_and_lie_beside_each_other() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert all(panel["title"] and panel["description"] for panel in panels())
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _y in taken) < 24


def test_it_shows_what_processes_measure() -> None:
    shown = " ".join(expressions())
    unseen = {family.name for family in families_of(()) if family.name not in shown}
    # A pause is seen while it lasts, and orders of beat by their jobs.
    assert unseen == {"astegni_provider_pauses", "astegni_routine_orders"}


def test_every_query_returns_data(
    settings: MakeSettings,
    database_url: str,
    redis_url: str,
    b2: Credentials,
    school: School,
    platform: Platform,
    processes: Processes,
    sql: Sql,
    tmp_path: Path,
) -> None:
    if not Prometheus.is_installed():
        pytest.skip("prometheus is missing (Debian: apt-get install prometheus): no query of the dashboard was tried")
    key, ports = secrets.token_hex(32), [free_port(), free_port()]
    common = {"secret_key": key, "spool_reserve_bytes": 0, "queue_check_interval": 1, "heartbeat_interval": 1}
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
    with Prometheus(urlsplit(url).port or 0, tmp_path / "prometheus", process_ports=ports, quick=QUICK) as prometheus:
        headers = {"Authorization": f"Bearer {issue_token(key, sub=1, role_ids={'tutor': 11})}"}
        answer = httpx2.post(
            f"{url}/v1/recordings",
            data={"session_id": str(session_id)},
            files={"file": ("a.webm", AUDIO.read_bytes())},
            headers=headers,
            trust_env=False,
            timeout=PATIENCE,
        )
        assert answer.status_code == 202
        wait_for(lambda: not empty(prometheus), details=lambda: f"{empty(prometheus)}\n{processes.logs()[-5000:]}")


def empty(prometheus: Prometheus) -> list[str]:
    """The queries that return nothing yet."""
    return [expression for expression in expressions() if not prometheus.query(expression)]


def test_every_metric_of_the_dashboard_is_documented() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    metrics = set(re.findall(r"\b(astegni_\w+?)(?:_bucket)?\b", " ".join(expressions())))
    assert {metric for metric in metrics if metric not in page} == set()
