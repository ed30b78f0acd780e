"""schemathesis against the running API: requests made from its OpenAPI document, and every answer checked by it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from devstack.directories import scratch_directory
from devstack.emulator.credentials import Credentials
from devstack.forked_process import ForkServer
from tests.api.conftest import ClientFor, Serve, token_of
from tests.conftest import MakeSettings, School
from worker.access.callers import Operator
from worker.access.issue_token import issue_operator_token, issue_token
from worker.api.services import Services
from worker.database import Database
from worker.settings import Settings

# The responses to a request that the schema allows, in every operation. 422 is not among them.
ANSWERS: list[str | int] = ["2xx", "3xx", 401, 403, 404, 409, 429]
# Operations that may answer 422 as well, for a rule that a JSON schema cannot say. Nothing else is left out.
CURSOR = "A cursor is opaque: only one that a list has given is taken."
AMOUNT = "An amount has two digits behind the point, which `multipleOf` cannot say of floating-point numbers."
TUS = "The headers of tus 1.0, and the type of the body, are read by the protocol's rules."
RULES = {
    "POST /v1/bookings": AMOUNT,
    "PATCH /v1/bookings/{booking_id}": AMOUNT,
    "POST /v1/session-requests/{request_id}/accept": AMOUNT,
    "POST /v1/me/timetable": "Which fields say when depends on `schedule_type`; names of days and months.",
    "PATCH /v1/me/timetable/{entry_id}": "Which fields say when depends on `schedule_type`; names of days and months.",
    "POST /v1/whiteboard/sessions": "A lesson must be one of the booking; people must share it.",
    "POST /v1/me/channels": "What an address looks like depends on `kind`; hosts are looked up.",
    "POST /v1/schedules": "Which fields say when depends on the others; lessons end after they begin.",
    "PATCH /v1/schedules/{schedule_id}": "Which fields a change may have depends on `scope`.",
    "PUT /v1/schedules/{schedule_id}/alarms": "Alarms differ in their minutes, and a channel is the caller's.",
    "PUT /v1/me/notification-preferences": "A channel is the caller's.",
    "POST /v1/schedules/{schedule_id}/book": "A parent says which child will come.",
    "POST /v1/series/{series_id}/skip": "The days must be days of the series.",
    "POST /v1/session-requests": "A parent says which child will learn; the tutor must be active.",
    "PUT /v1/recordings/{recording_id}/captions/{language}": "The body must be a file of WebVTT or SRT.",
    "PUT /v1/recordings/{recording_id}/chapters": "Two chapters begin at different times, before the end.",
    "POST /v1/uploads": TUS,
    "HEAD /v1/uploads/{upload_id}": TUS,
    "PATCH /v1/uploads/{upload_id}": TUS,
    "DELETE /v1/uploads/{upload_id}": TUS,
    "POST /v1/whiteboard/pages/{page_id}/strokes": "What `stroke_data` must hold depends on `stroke_type`.",
}
HOOKS = Path(__file__).parent / "schema" / "hooks.py"
# The coverage phase alone takes four minutes; tests/api/test_hostile_values.py tries every parameter and field instead.
PHASES = {
    "tutor": "examples,fuzzing,stateful",
    "student": "fuzzing,stateful",
    "parent": "fuzzing,stateful",
    "operator": "fuzzing,stateful",
    # Who has nothing to do with what is there, or no profile.
    "other_tutor": "fuzzing",
    "without a profile": "fuzzing",
}
# Of each operation, where what it changes is followed; else one.
MAX_EXAMPLES = 2
# Tokens that are refused, and no token: what needs one answers so, whatever else is in the request. Schemathesis tries
# the first and the last check of a caller: that there is a token, and that its person has the profile.
REFUSED = ("nobody", "claimed profile")
REFUSED_EARLIER = ("expired", "forged", "advertiser", "other department")
PROGRAM = "schemathesis.cli"
# What it imports, some of it late.
MODULES = [PROGRAM, "schemathesis.openapi", "schemathesis.specs.openapi.schemas", "hypothesis.stateful"]
_RATES = ("_per_minute", "_per_day")
SEED = 20261128


@pytest.fixture
def services(settings: MakeSettings, database: Database, b2: Credentials) -> Services:
    """Without rate limits, which these requests would reach at once."""
    unlimited = {name: 0 for name in Settings.model_fields if name.startswith("limit_") and name.endswith(_RATES)}
    return Services(settings(**unlimited), database, failure_hooks={})


@pytest.fixture
def address(api: FastAPI, serve: Serve, school: School, client_for: ClientFor) -> Iterator[str]:
    """A real server with a booking, a whiteboard session with a page, and lessons."""
    tutor = client_for(school.tutor)
    lessons = {"booking_id": school.booking_id, "schedule_date": "2027-01-04", "recurrence_pattern": "every Monday"}
    assert tutor.ask("POST", "/v1/whiteboard/sessions", {"booking_id": school.booking_id})[0] == 201
    assert tutor.ask("POST", "/v1/schedules", lessons | {"start_time": "14:00", "end_time": "15:00"})[0] == 201
    with serve(api) as url:
        yield url


def _with_rules(document: dict[str, Any]) -> dict[str, str]:
    """The operations that may answer 422 to what the schema allows, and why."""
    cursors = {
        f"{method.upper()} {path}": CURSOR
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if any(parameter["name"] == "cursor" for parameter in operation.get("parameters", []))
    }
    assert not cursors.keys() & RULES
    return cursors | RULES


def _configuration(document: dict[str, Any], *, is_refused: bool) -> str:
    check = "checks.positive_data_acceptance"
    lines = [f"[{check}]", f"expected-statuses = {ANSWERS!r}"]
    for operation in sorted(_with_rules(document).keys() | (_secured(document) if is_refused else set())):
        more: list[str | int] = [412, 415, 422] if "/v1/uploads" in operation else [422]
        answers: list[str | int] = [401, 403] if is_refused and operation in _secured(document) else ANSWERS + more
        lines += [
            *("[[operations]]", f'include-name = "{operation}"'),
            *(f"[operations.{check}]", f"expected-statuses = {answers!r}"),
        ]
        if "/v1/uploads" in operation:
            refused = [400, 401, 403, 404, 409, *more]
            lines += ["[operations.checks.negative_data_rejection]", f"expected-statuses = {refused!r}"]
    return "\n".join(lines)


def _secured(document: dict[str, Any]) -> set[str]:
    """The operations that need a token."""
    return {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation.get("security")
    }


def _token(kind: str, school: School, operator: Operator, settings: Settings) -> str | None:
    """A token of this kind; None for nobody's."""
    key, tutor = settings.signing_key, {"tutor": 11}
    match kind:
        case "nobody":
            return None
        case "expired":
            return issue_token(key, sub=1, role="tutor", role_ids=tutor, expires_in=-60)
        case "forged":
            return issue_token("x" * 64, sub=1, role="tutor", role_ids=tutor)
        case "advertiser":
            return jwt.encode({"type": "advertiser", "advertiser_id": 1, "exp": 2**31}, key, algorithm="HS256")
        case "claimed profile":
            return issue_token(key, sub=4, role="tutor", role_ids=tutor)
        case "other department":
            return issue_operator_token(key, admin_id=1, departments=["manage-courses"])
        case "without a profile":
            return issue_token(key, sub=2)
    return token_of(operator if kind == "operator" else getattr(school, kind), settings)


def test_rules_are_of_operations_that_exist(api: FastAPI) -> None:
    paths = api.openapi()["paths"]
    assert RULES.keys() <= {f"{method.upper()} {path}" for path in paths for method in paths[path]}


@pytest.mark.parametrize("kind", [*REFUSED, *REFUSED_EARLIER])
def test_no_operation_takes_a_token_that_is_refused(
    school: School, operator: Operator, services: Services, client: TestClient, api: FastAPI, kind: str
) -> None:
    token = _token(kind, school, operator, services.settings)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    statuses = {}
    for operation in _secured(api.openapi()):
        method, path = operation.split(" ")
        statuses[operation] = client.request(method, re.sub(r"\{\w+\}", "1", path), headers=headers).status_code
    assert statuses == dict.fromkeys(_secured(api.openapi()), 403 if kind == "other department" else 401)
    assert len(statuses) > 100


@pytest.fixture(scope="module")
def schemathesis() -> Iterator[ForkServer]:
    """schemathesis, imported once for all roles."""
    with scratch_directory() as folder, ForkServer(folder / "log", MODULES, os.environ) as server:
        yield server


@pytest.mark.parametrize("kind", [*PHASES, *REFUSED])
def test_every_answer_is_one_that_is_described(
    school: School,
    operator: Operator,
    services: Services,
    api: FastAPI,
    address: str,
    schemathesis: ForkServer,
    tmp_path: Path,
    kind: str,
) -> None:
    is_refused, phases = kind in REFUSED, PHASES.get(kind, "fuzzing")
    token = _token(kind, school, operator, services.settings)
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(_configuration(api.openapi(), is_refused=is_refused))
    examples = MAX_EXAMPLES if "stateful" in phases else 1
    command = [
        *("--config-file", str(configuration), "run", f"{address}/openapi.json", "--checks", "all"),
        *("--phases", phases, "--max-examples", str(examples), "--seed", str(SEED)),
        *("--continue-on-failure", "--no-shrink", "--suppress-health-check", "all", "--warnings", "off"),
        *("--request-timeout", "60", *([] if token is None else ("--header", f"Authorization: Bearer {token}"))),
        # Streams, which do not end by themselves: tests/api/operations/test_job_events.py and test_notifications.py.
        *("--exclude-path-regex", "/events$"),
    ]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": str(HOOKS)}
    done = schemathesis.run("st", PROGRAM, command, environment, timeout=1800)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert "Tested:" in done.stdout
