"""schemathesis against the running API: requests made from its OpenAPI document, and every answer checked by it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from worker.api.services import Services
from worker.database import Database
from worker.dev.emulator.credentials import Credentials
from worker.settings import Settings

# What the checks would call failures and is meant to be: (check, statuses that are right as well, reason). Nothing else
# is left out.
ACCEPTED = (
    (
        "positive_data_acceptance",
        ["2xx", "3xx", 401, 403, 404, 409, 422, 429],
        # Cursors that no list has given, days without a lesson, an end before its start, a mail address that is none,
        # `292.0` for an id.
        "Rules that a JSON schema cannot say are answered with 422.",
    ),
)
# The coverage phase alone takes four minutes; tests/api/test_hostile_values.py tries every parameter and field instead.
PHASES = {
    "tutor": "examples,fuzzing,stateful",
    "student": "fuzzing,stateful",
    "parent": "fuzzing,stateful",
    "operator": "fuzzing,stateful",
}
# Of each operation; the whole takes less than three minutes on two cores.
MOST_EXAMPLES = 2
_RATES = ("_per_minute", "_per_day")
SEED = 20261128


@pytest.fixture
def services(settings: Any, database: Database, b2: Credentials) -> Services:
    """Without limits on how often somebody may ask: that is all that these requests do."""
    unlimited = {name: 0 for name in Settings.model_fields if name.startswith("limit_") and name.endswith(_RATES)}
    return Services(settings(**unlimited), database, endings={})


@pytest.fixture
def address(api: FastAPI, serve: Any, school: Any, visitor: Any) -> Iterator[str]:
    """A real server with a booking, a whiteboard session with a page, and lessons."""
    tutor = visitor(school.tutor)
    lessons = {"booking_id": school.booking_id, "schedule_date": "2027-01-04", "recurrence_pattern": "every Monday"}
    assert tutor.ask("POST", "/v1/whiteboard/sessions", {"booking_id": school.booking_id})[0] == 201
    assert tutor.ask("POST", "/v1/schedules", lessons | {"start_time": "14:00", "end_time": "15:00"})[0] == 201
    with serve(api) as url:
        yield url


def _configuration() -> str:
    return "\n".join(f"[checks.{check}]\nexpected-statuses = {statuses!r}" for check, statuses, _reason in ACCEPTED)


@pytest.mark.parametrize("role", PHASES)
def test_every_answer_is_one_that_is_described(
    school: Any, operator: Any, bearer: Any, address: str, tmp_path: Path, role: str
) -> None:
    caller = operator if role == "operator" else getattr(school, role)
    (tmp_path / "schemathesis.toml").write_text(_configuration())
    command = [
        *(str(Path(sys.executable).with_name("st")), "run", f"{address}/openapi.json", "--checks", "all"),
        *("--phases", PHASES[role], "--max-examples", str(MOST_EXAMPLES), "--seed", str(SEED)),
        *("--continue-on-failure", "--no-shrink", "--suppress-health-check", "all", "--warnings", "off"),
        *("--request-timeout", "60", "--header", f"Authorization: {bearer(caller)['Authorization']}"),
        # Streams, which do not end by themselves: tests/api/test_job_events.py and test_notifications_api.py.
        *("--exclude-path-regex", "/events$"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert "Tested:" in done.stdout
