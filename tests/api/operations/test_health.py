"""`/healthz`, `/readyz` and `/metrics`."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from starlette.testclient import TestClient

from tests.conftest import School, Sql
from tests.waiting import TIMEOUT
from worker.api.app import create_api
from worker.api.services import Services
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.heartbeats import HeartbeatWriter
from worker.jobs.orders.recording_orders import MakeRenditions
from worker.jobs.orders.routine_orders import CheckQueue, PruneLedger
from worker.platform.connection import PlatformConnection
from worker.settings import Settings


def test_a_process_that_lives_says_so(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_ready_without_a_broker(client: TestClient) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "checks": {
            "database": "ok",
            "spool": "ok",
            "broker": "is not set",
            "processes": "none has run within a day",
        },
    }


def test_the_broker_is_told_but_does_not_decide(services: Services, redis_url: str) -> None:
    nobody = ("redis://127.0.0.1:1/0", "amqp://127.0.0.1:1")
    for url, state in ((redis_url, "ok"), *((url, "does not answer") for url in nobody)):
        settings = services.settings.model_copy(update={"redis_url": url})
        with TestClient(create_api(replace(services, settings=settings))) as client:
            response = client.get("/readyz")
            assert response.status_code == 200
            assert response.json()["checks"]["broker"].startswith(state)
            assert f"astegni_broker_up {float(state == 'ok')}" in client.get("/metrics").text


def test_silent_processes_are_told_but_do_not_decide(client: TestClient, database: Database, sql: Sql) -> None:
    HeartbeatWriter(database, "worker", "relay", interval=10).beat()
    HeartbeatWriter(database, "worker", "consumer", interval=10, queues=("default",)).beat()
    sql("UPDATE heartbeats SET seen_at = now() - interval '61 s' WHERE part = 'relay'")
    with database.transaction() as session:
        enqueue(session, CheckQueue("default"))
        session.execute(text("UPDATE jobs SET created_at = now() - interval '91 s'"))
    response = client.get("/readyz")
    assert response.status_code == 200
    sentences = re.sub("[0-9]+ s", "N s", response.json()["checks"]["processes"]).split("; ")
    assert sentences[0] == "relay has not run for N s"
    assert sentences[-4:] == [
        "no job has gone through the queue default for N s",
        "no worker consumes the queue reminders",
        "no worker consumes the queue media",
        "no worker consumes the queue media.shared",
    ]
    (age,) = [line for line in client.get("/metrics").text.splitlines() if line.startswith("astegni_queue_check_age")]
    assert float(age.removeprefix('astegni_queue_check_age_seconds{queue="default"} ')) >= 91


def test_another_revision_is_not_ready(client: TestClient, database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"].startswith("is at revision 0001")
    with database.transaction() as session:
        session.execute(text("DROP TABLE alembic_version"))
    assert "astegni migrate" in client.get("/readyz").json()["checks"]["database"]


def test_while_an_upgrade_has_migrated_the_tables_the_old_release_stays_ready(
    client: TestClient, database: Database
) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    response = client.get("/readyz")
    assert (response.status_code, response.json()["checks"]["database"]) == (200, "ok")

    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'of another program'"))
    assert client.get("/readyz").status_code == 503


def test_a_database_that_is_away_is_not_ready(services: Services) -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with TestClient(create_api(replace(services, database=away))) as client:
        response = client.get("/readyz")
        assert (response.status_code, response.headers["retry-after"]) == (503, "5")
        assert response.json()["checks"]["database"] == "does not answer"
        assert "astegni_database_up 0.0" in client.get("/metrics").text
    away.close()


def test_a_database_that_accepts_no_changes_is_not_ready(services: Services, database_url: str, sql: Sql) -> None:
    """A standby, or a server whose disk is full."""
    name = make_url(database_url).database
    sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    standby = Database(Settings(database_url=database_url).sqlalchemy_url)
    try:
        with TestClient(create_api(replace(services, database=standby))) as client:
            assert client.get("/readyz").status_code == 503
            assert "astegni_database_up 0.0" in client.get("/metrics").text
    finally:
        sql(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        standby.close()


def test_a_spool_that_is_no_directory_to_write_is_not_ready(services: Services, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.write_text("a file")
    settings = services.settings.model_copy(update={"spool_dir": spool})
    with TestClient(create_api(replace(services, settings=settings))) as client:
        assert client.get("/readyz").json()["checks"]["spool"] == "cannot be written"


def test_a_spool_whose_volume_fails_is_told_and_hides_nothing_else(
    services: Services, sql: Sql, tmp_path: Path
) -> None:
    """Here by a name that is too long; a network volume whose server has forgotten it fails in the same calls."""
    sql(
        """
        WITH board AS (INSERT INTO whiteboard_sessions DEFAULT VALUES RETURNING id)
        INSERT INTO uploads (id, principal, session_id, spool_id, reserved, created_at)
        SELECT repeat('a', 32), 'user:1', id, 'shared', 1, now() - interval '1 day' FROM board
        """
    )
    settings = services.settings.model_copy(update={"spool_dir": tmp_path / ("x" * 300) / "spool"})
    with TestClient(create_api(replace(services, settings=settings))) as client:
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["checks"]["spool"] == "cannot be reached: File name too long"
        assert "astegni_database_up 1.0" in client.get("/metrics").text


def test_the_ledger_in_figures(services: Services, database: Database) -> None:
    with database.transaction() as session:
        enqueue(session, PruneLedger())
        session.execute(text("UPDATE jobs SET run_at = now() - interval '90 s'"))
    with TestClient(create_api(replace(services, publisher_drops=lambda: 7))) as client:
        figures = client.get("/metrics").text
    assert 'astegni_jobs{kind="upkeep.prune_ledger",state="queued"} 1.0' in figures
    assert "astegni_publisher_drops_total 7.0" in figures
    assert "astegni_database_up 1.0" in figures
    # Tokens expire by the clock of the API, which writes no heartbeat.
    assert 'astegni_clock_offset_seconds{part="api"} ' in figures
    (age,) = [line for line in figures.splitlines() if line.startswith("astegni_jobs_oldest_due_age_seconds ")]
    assert 90 <= float(age.split()[1]) < 150


def test_the_renditions_in_figures(services: Services, school: School, database: Database) -> None:
    with database.transaction() as session:
        order = MakeRenditions(recording_id=1, session_id=1, seconds=1200)
        enqueue(session, order)
        session.execute(
            text("UPDATE jobs SET state = 'succeeded', started_at = now() - interval '400 s', finished_at = now()")
        )
        session.execute(
            text(
                """
                WITH board AS (INSERT INTO whiteboard_sessions (booking_id) VALUES (:booking) RETURNING id),
                     recording AS (INSERT INTO whiteboard_session_recordings (session_id) SELECT id FROM board
                                   RETURNING id)
                INSERT INTO recording_renditions (recording_id, name, state, object_name)
                SELECT id, name, state, name FROM recording, (VALUES ('360p', 'failed'), ('storyboard', 'ready'),
                       ('storyboard-2', 'ready')) made (name, state)
                """
            ),
            {"booking": school.booking_id},
        )
    with TestClient(create_api(services)) as client:
        figures = client.get("/metrics").text
    assert 'astegni_renditions{name="360p",state="failed"} 1.0' in figures
    assert 'astegni_renditions{name="storyboard",state="ready"} 2.0' in figures
    assert 'astegni_media_run_seconds_last_hour{kind="recordings.renditions"} 400.0' in figures
    assert 'astegni_media_real_time_factor{kind="recordings.renditions"} 3.0' in figures


def test_the_lessons_in_figures(services: Services, school: School, database: Database) -> None:
    def figures() -> dict[str, float]:
        with TestClient(create_api(services)) as client:
            lines = client.get("/metrics").text.splitlines()
        pairs = (line.split() for line in lines if line.startswith(("astegni_lessons", "astegni_series")))
        return {name: float(value) for name, value in pairs}

    def change(statement: str) -> None:
        with database.transaction() as session:
            session.execute(text(statement))

    assert figures() == {"astegni_lessons_overdue_seconds": 0}
    change(
        "INSERT INTO tutor_schedules (tutor_id, student_id, schedule_date, start_time, end_time, starts_at, ends_at,"
        " status) SELECT 11, 22, current_date, '10:00', '11:00', now() - ago, now() - ago + interval '1 h', status FROM"
        " (VALUES (interval '70 min', 'in_progress'), (interval '9 h', 'completed'), (interval '-1 h', 'scheduled'))"
        " lesson (ago, status)"
    )
    change(
        "INSERT INTO schedule_series (tutor_id, has_students, schedule_date, start_time, end_time, timezone, rrule,"
        " recurrence_pattern, status, expanded_until) SELECT 11, false, current_date, '10:00', '11:00', 'UTC',"
        " 'FREQ=DAILY', 'Every day', status, current_date + days FROM"
        " (VALUES ('active', 90), ('active', 84), ('paused', 3)) series (status, days)"
    )
    overdue = figures()
    assert overdue["astegni_series_filled_days"] == 84
    assert 600 <= overdue["astegni_lessons_overdue_seconds"] < 660
    change("UPDATE tutor_schedules SET status = 'scheduled' WHERE status = 'in_progress'")
    assert 4200 <= figures()["astegni_lessons_overdue_seconds"] < 4260


@pytest.mark.parametrize(("path", "route"), [("/v1/jobs/5", "/v1/jobs/{job_id}"), ("/odd/5", "unmatched")])
def test_requests_are_counted_by_route_not_by_id(client: TestClient, path: str, route: str) -> None:
    client.get(path)
    client.request("ODD", path)
    figures = client.get("/metrics").text
    assert f'astegni_http_requests_total{{method="GET",route="{route}"' in figures
    assert f'method="OTHER",route="{route}"' in figures
    assert "/5" not in figures
    assert f'astegni_http_request_seconds_count{{method="GET",route="{route}"}} 1.0' in figures


def _platform_figures(client: TestClient) -> dict[str, str]:
    lines = client.get("/metrics").text.splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if line.startswith("astegni_platform_"))


def test_the_platform_in_figures(services: Services, platform_connection: PlatformConnection, sql: Sql) -> None:
    with TestClient(create_api(services)) as client:
        assert _platform_figures(client) == {}
    services.context.platform_connection = platform_connection
    with TestClient(create_api(services)) as client:
        never = {"astegni_platform_up": "1.0", 'astegni_platform_pull_age_seconds{kind="all"}': "+Inf"}
        assert _platform_figures(client) == never
    sql("INSERT INTO platform_pulls (kind, pulled_at) VALUES ('lesson', now() - interval '1 hour'), ('page', NULL)")
    # Before the clock was set back.
    sql("INSERT INTO platform_pulls (kind, pulled_at) VALUES ('entry', now() + interval '1 hour')")
    for code, is_refused in (("tutor-busy", True), ("student-busy", True), ("format-unknown", False)):
        statement = """INSERT INTO platform_refusals (kind, platform_id, code, is_refused, reason, remedy)
                       VALUES ('lesson', 86, :code, :is_refused, 'x', 'y')"""
        sql(statement, code=code, is_refused=is_refused)
    services.context.platform_connection = PlatformConnection("postgresql://reader@127.0.0.1:1/platform")
    with TestClient(create_api(services)) as client:
        figures = _platform_figures(client)
    services.context.platform_connection.close()
    age = float(figures.pop('astegni_platform_pull_age_seconds{kind="lesson"}'))
    assert 3600 <= age < 3600 + TIMEOUT
    assert 3600 - TIMEOUT < float(figures.pop('astegni_platform_pull_age_seconds{kind="entry"}')) <= 3600
    assert figures == {"astegni_platform_up": "0.0", 'astegni_platform_refused_rows{kind="lesson"}': "1.0"}
