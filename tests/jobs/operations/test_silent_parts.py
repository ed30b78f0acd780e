"""Sentences about what no longer works."""

import math

import pytest

from tests.conftest import MakeSettings
from worker.database import Database
from worker.jobs.heartbeats import HeartbeatWriter, ProcessMetrics
from worker.jobs.operations.silent_parts import expected_parts, read_silent_parts, silent_parts
from worker.queue_names import queue_names
from worker.settings import Settings

SETTINGS = Settings(backblaze_key_id="id", backblaze_application_key="key")
QUEUES = queue_names(SETTINGS)
FRESH = dict.fromkeys(expected_parts(SETTINGS), 3.0)
CONSUMED = dict.fromkeys(QUEUES, 1)
CHECKED = dict.fromkeys(QUEUES, 30.0)


def test_all_is_well() -> None:
    assert silent_parts(SETTINGS, ProcessMetrics(FRESH, CONSUMED, {}), CHECKED, QUEUES) == []
    # Beat has ordered no check yet.
    assert silent_parts(SETTINGS, ProcessMetrics(FRESH, CONSUMED, {}), {}, QUEUES) == []


@pytest.mark.parametrize("part", ["relay", "reaper", "dispatcher", "beat", "storage"])
def test_a_part_that_is_silent_is_named(part: str) -> None:
    """Within the 150 s in which an operator is alerted: 60 s, of storage 120 s."""

    def silent(age: float) -> list[str]:
        return silent_parts(SETTINGS, ProcessMetrics(FRESH | {part: age}, CONSUMED, {}), CHECKED, QUEUES)

    assert silent(59) == []
    assert silent(121) == [f"{part} has not run for 121 s"]
    assert silent(math.inf) == [f"{part} has not run within a day"]


def test_a_queue_without_a_worker_and_one_that_stands_still_are_named() -> None:
    consumed, checked = CONSUMED | {"default": 0}, CHECKED | {"default": 500.0, "reminders": 91.0, "media": 800.0}
    assert silent_parts(SETTINGS, ProcessMetrics(FRESH, consumed, {}), checked, QUEUES) == [
        "no worker consumes the queue default",
        "no job has gone through the queue reminders for 91 s",
    ]
    checked["media"] = 901.0
    assert "no job has gone through the queue media for 901 s" in silent_parts(
        SETTINGS, ProcessMetrics(FRESH, consumed, {}), checked, QUEUES
    )


def test_an_installation_that_has_not_begun(database: Database, settings: MakeSettings) -> None:
    def read() -> list[str] | None:
        with database.statement() as statement:
            return read_silent_parts(statement, settings(), ("default",))

    assert read() is None
    for part in ("relay", "reaper", "dispatcher"):
        HeartbeatWriter(database, "a", part, interval=10).beat()
    HeartbeatWriter(database, "a", "consumer", interval=10, queues=("default",)).beat()
    assert read() == ["beat has not run within a day"]
