"""PostgreSQL restarts, terminates connections, and is blocked by a client that holds a lock."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psycopg
import pytest

from tests.chaos.conftest import new_environment
from tests.chaos.harness.environment import Environment
from tests.chaos.harness.servers import Servers
from tests.chaos.harness.work import ChaosOrder
from tests.forking.forked_process import ForkServer
from tests.waiting import TIMEOUT, wait_for
from worker.access.issue_token import issue_operator_token
from worker.settings import DEVELOPMENT_KEY


@pytest.fixture
def with_short_leases(servers: Servers, tmp_path: Path, fork_server: ForkServer) -> Iterator[Environment]:
    """Leases that outlast an outage of seconds, and not the test: what nobody has comes back."""
    leases = {"run_lease": 15.0, "published_lease": 15.0, "published_lease_max": 15.0}
    with new_environment(servers, tmp_path, fork_server, **leases) as environment:
        yield environment


def statuses_while(environment: Environment, trouble: Callable[[], None]) -> list[httpx.Response]:
    """Answers of the API right after the trouble and until it is well again."""
    trouble()
    answers: list[httpx.Response] = []

    def healed() -> bool:
        answers.append(environment.http.get("/v1/jobs"))
        return answers[-1].status_code == 200

    wait_for(healed, pause=0.1, details=lambda: answers[-1].text)
    return answers


def assert_unavailable(responses: list[httpx.Response]) -> None:
    """Results, or problem documents that say it passes: no database, or a row that is locked."""
    for response in responses:
        if response.status_code != 200:
            assert response.status_code == 503, response.text
            assert response.headers["content-type"] == "application/problem+json"
            assert response.headers["retry-after"]
            assert response.json()["code"] in {"unavailable", "busy"}


def test_database_restarted_and_crashed(environment: Environment) -> None:
    environment.start_api()
    environment.workers.start()
    jobs = [environment.submit(ChaosOrder(number, seconds=0.3)) for number in range(12)]
    environment.wait_for_start(jobs[0])
    for crash in (False, True):
        environment.servers.stop_database(crash=crash)
        down = [environment.http.get(path) for path in ("/v1/jobs", "/v1/recordings", "/readyz")]
        down += [environment.post_recording(1), environment.http.delete("/v1/recordings/1")]
        assert {(response.status_code, response.json()["code"]) for response in down} == {(503, "unavailable")}
        assert_unavailable(down)
        environment.servers.start_database()
        assert_unavailable(statuses_while(environment, lambda: None))
        jobs.append(environment.submit(ChaosOrder(100 + len(jobs), seconds=0.3)))
    assert set(environment.wait_until_finished(jobs).values()) == {"succeeded"}
    assert environment.watchdog.violations() == []


def test_work_done_while_the_database_is_away_is_not_done_again(unhurried: Environment) -> None:
    """Nor is the run left to the reaper: it would be charged to whoever restarts the worker meanwhile."""
    worker = unhurried.workers.start(SOFT_SHUTDOWN=str(TIMEOUT))
    job = unhurried.submit(ChaosOrder(1, seconds=0.8))
    unhurried.wait_for_start(job)
    unhurried.servers.stop_database()
    time.sleep(1.5)
    worker.signal(signal.SIGTERM)
    unhurried.servers.start_database()
    ended = unhurried.wait_for(job, "succeeded")
    assert (ended["attempt"], unhurried.outcomes(job)) == (1, ["succeeded"])
    assert worker.wait(TIMEOUT), worker.log_tail(40)
    assert worker.exit_code == 0


def test_a_failure_while_the_database_is_away_is_written_down(unhurried: Environment) -> None:
    unhurried.workers.start()
    job = unhurried.submit(ChaosOrder(1, what="stumble", seconds=0.5))
    unhurried.wait_for_start(job)
    unhurried.servers.stop_database(crash=True)
    time.sleep(1.0)
    unhurried.servers.start_database()
    unhurried.wait_for_start(job, 2)
    assert unhurried.outcomes(job) == ["retryable"]


def test_messages_wait_for_a_database_that_is_away(with_short_leases: Environment) -> None:
    with_short_leases.workers.start()
    jobs = [with_short_leases.submit(ChaosOrder(number, seconds=0.3)) for number in range(20)]
    with_short_leases.wait_for_start(jobs[4])
    with_short_leases.servers.stop_database()
    time.sleep(1.0)
    with_short_leases.servers.start_database()
    assert set(with_short_leases.wait_until_finished(jobs).values()) == {"succeeded"}
    # A claim whose answer was lost with the connection was made: that run is nobody's until its lease has run out. Each
    # of the two children had at most one such message in hand; all others wait.
    assert len(with_short_leases.watchdog.ask("SELECT id FROM jobs WHERE attempt <> 1")) <= 2
    assert with_short_leases.watchdog.violations() == []


def test_every_connection_terminated(environment: Environment) -> None:
    environment.start_api()
    environment.workers.start()
    jobs = []
    for number in range(15):
        jobs.append(environment.submit(ChaosOrder(number, seconds=0.2)))
        if number % 5 == 4:
            assert_unavailable(
                statuses_while(environment, lambda: assert_positive(environment.servers.terminate_backends()))
            )
        time.sleep(0.1)
    assert set(environment.wait_until_finished(jobs).values()) == {"succeeded"}
    assert environment.watchdog.violations() == []


def assert_positive(number: int) -> None:
    assert number > 0


def test_an_idle_transaction_that_holds_a_running_job(environment: Environment) -> None:
    environment.workers.start()
    job = environment.submit(ChaosOrder(1, seconds=0.5))
    environment.wait_for_start(job)
    with psycopg.connect(environment.settings.database_url or "") as hog:
        hog.execute("SELECT 1 FROM jobs WHERE id = %s FOR UPDATE", [job])
        others = [environment.submit(ChaosOrder(number)) for number in range(2, 8)]
        assert set(environment.wait_until_finished(others).values()) == {"succeeded"}
        # Past its lease: it can neither be renewed nor ended nor taken back.
        time.sleep(4.0)
        assert environment.job(job)["state"] == "running"
        hog.rollback()
    assert environment.wait_for(job, "succeeded")["attempt"] <= 2
    assert environment.watchdog.violations() == []


def test_a_locked_row_is_told_within_its_timeout(environment: Environment) -> None:
    environment.start_api()
    job = environment.submit(ChaosOrder(1))
    operator = issue_operator_token(DEVELOPMENT_KEY, admin_id=1, departments=["manage-system-settings"])
    cancel: dict[str, Any] = {"url": f"/v1/jobs/{job}/cancel", "headers": {"Authorization": f"Bearer {operator}"}}
    with psycopg.connect(environment.settings.database_url or "") as hog:
        hog.execute("SELECT 1 FROM jobs WHERE id = %s FOR UPDATE", [job])
        response = environment.http.post(**cancel)
        assert response.status_code == 503
        assert_unavailable([response])
        assert response.json()["code"] == "busy"
        hog.rollback()
    assert environment.http.post(**cancel).is_success
    assert environment.job(job)["state"] == "cancelled"
