"""Every parameter and field of every route with values that no column can store: never a 500."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tests.api.conftest import ApiClient, ClientFor
from tests.conftest import School
from worker.api.http.fields import Price, RowId

# A body of each route that is taken as it is; the fields that it has not are added one by one.
BODIES: dict[str, dict[str, Any]] = {
    "/v1/bookings": {"student_id": 22},
    "/v1/session-requests": {"tutor_id": 11, "schedule": {"start_time": "14:00", "end_time": "15:00"}},
    "/v1/schedules": {"schedule_date": "2027-01-04", "start_time": "14:00", "end_time": "15:00"},
    "/v1/whiteboard/sessions": {"booking_id": 1},
    "/v1/schedules/{schedule_id}/alarms": {"alarms": [{"minutes_before": 5, "channels": ["email"]}]},
    "/v1/me/timetable": {
        "title": "Own study",
        "schedule_type": "recurring",
        "days": ["Monday"],
        "start_time": "14:00",
        "end_time": "15:00",
    },
    "/v1/me/channels": {"kind": "email", "address": "a@b.example"},
    "/v1/me/channels/{channel_id}/confirm": {"code": "123456"},
    "/v1/series/{series_id}/skip": {"dates": ["2027-01-04"]},
    "/v1/whiteboard/pages/{page_id}/strokes": {
        "strokes": [
            {"client_id": "a", "stroke_type": "pen", "stroke_data": {"points": [[1, 2], [3, 4]], "color": "red"}}
        ]
    },
}
NUMBERS = [
    "0",
    "-1",
    "01",
    "+1",
    "1.0",
    "1_0",
    " 1",
    "1 ",
    "\u0661",
    "2147483648",
    "9223372036854775808",
    "9" * 400,
    "1e3",
    "NaN",
    "",
]
WORDS = ["\x00", "a\x00b", "\ud800", "\udfff", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-14:00", "x" * 100_000]
SPELLINGS = [text for text in NUMBERS if text not in ("0", "-1", "2147483648")]
# One of each kind, for parameters and fields that are declared as those of an earlier route: they are validated alike,
# and only what the route does with them differs.
TEXT_OF_EACH_KIND = ["2147483648", "9" * 400, "", "a\x00b", "\ud800", "9999-12-31"]
SPELLING_OF_EACH_KIND = ["01", " 1", "\u0661"]
VALUES: list[Any] = [
    *WORDS,
    *("0e-99999", "1e-99999", "NaN", "1E+99999", "-0", "99999999.999", "24:00", "23:59:60", "0001-01-01T00:00:00Z"),
    *(0, -1, 2**31, 2**63, 10**400, 1e308, -0.0, 1.5, float("nan"), float("inf"), True, None, [], {}),
    *([2**31], ["\x00"], ["\ud800"], [None], [["9999-12-31"]], {"\x00": 1}, {"\ud800": "\x00"}, {"x": 2**64}),
    *(
        "FREQ=DAILY;UNTIL=99991231",
        "FREQ=DAILY;COUNT=99999999999",
        "every day until 9999-12-31",
        "FREQ=YEARLY;BYMONTHDAY=-400",
    ),
]
VALUE_OF_EACH_KIND: list[Any] = [
    *("a\x00b", "\ud800", "9999-12-31", "1E+99999", "0001-01-01", "23:59:60", "FREQ=DAILY;UNTIL=99991231"),
    *(2**31, 10**400, 1.5, float("nan"), True, None, ["\x00"], {"\ud800": "\x00"}),
]


class Declarations:
    """What has been declared so far, to tell a new parameter or field from one that an earlier route has as well."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def add(self, *declaration: Any) -> bool:
        """Whether it is new."""
        text = json.dumps(declaration, sort_keys=True)
        is_new = text not in self._known
        self._known.add(text)
        return is_new


def _operations(api: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in api.openapi()["paths"].items():
        for method, operation in methods.items():
            # A stream that opens does not end by itself.
            if not path.endswith("/events"):
                yield method.upper(), path, operation


def _filled(path: str) -> str:
    for name in (
        "schedule_id",
        "session_id",
        "page_id",
        "booking_id",
        "series_id",
        "tutor_id",
        "channel_id",
        "entry_id",
    ):
        path = path.replace(f"{{{name}}}", "1")
    return (
        path.replace("{job_id}", "9f1c5d20-0000-4000-8000-000000000000")
        .replace("{client_id}", "a")
        .replace("{secret}", "x")
    )


def _resolved(api: FastAPI, schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    for option in schema.get("anyOf", []):
        reference = reference or option.get("$ref")
    if reference:
        return dict(api.openapi()["components"]["schemas"][reference.rpartition("/")[2]])
    return schema


@pytest.fixture
def people(school: School, client_for: ClientFor) -> list[ApiClient]:
    """A tutor with a session that has a page, and a parent."""
    tutor = client_for(school.tutor)
    assert tutor.ask("POST", "/v1/whiteboard/sessions", {"booking_id": school.booking_id})[0] == 201
    return [tutor, client_for(school.parent)]


def test_no_parameter_breaks_a_route(people: list[ApiClient], api: FastAPI) -> None:
    requests, declarations = 0, Declarations()
    for method, path, operation in _operations(api):
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "header":
                continue
            for value in (*NUMBERS, *WORDS[:-1]) if declarations.add(parameter) else TEXT_OF_EACH_KIND:
                written = quote(value.encode("utf-8", "surrogatepass"), safe="")
                if parameter["in"] == "path":
                    where = _filled(path.replace(f"{{{parameter['name']}}}", written))
                else:
                    where = f"{_filled(path)}?{parameter['name']}={written}"
                status = people[0].send(method, where, BODIES.get(path)).status_code
                assert status < 500, (method, where, status)
                requests += 1
    assert requests > 500


def test_no_field_breaks_a_route(people: list[ApiClient], api: FastAPI) -> None:
    requests, declarations = 0, Declarations()
    for method, path, operation in _operations(api):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            continue
        schema = _resolved(api, content["application/json"]["schema"])
        usual = BODIES.get(path, {})
        for name in schema["properties"]:
            is_new = declarations.add(name, schema["properties"][name])
            for value in VALUES if is_new else VALUE_OF_EACH_KIND:
                person = people[path == "/v1/session-requests"]
                response = person.send(method, _filled(path), usual | {name: value})
                assert response.status_code < 500, (method, path, name, value, response.text)
                # Refused for what it is, not by PostgreSQL.
                assert "where it is kept" not in response.text, (method, path, name, value)
                requests += 1
    assert requests > 3000


@pytest.mark.parametrize(
    "inner",
    [
        {"points": [[2**63, 10**400]]},
        {"\x00": 1},
        {"a": "\x00"},
        {"a": "\ud800"},
        {"points": [[float("nan"), 1]]},
        {"a": 10**400},
        {"a": [[[[[1]]]]]},
    ],
)
def test_no_stroke_breaks_the_board(people: list[ApiClient], inner: dict[str, Any]) -> None:
    body = {"strokes": [{"client_id": "a", "stroke_type": "pen", "stroke_data": inner}]}
    assert people[0].send("POST", "/v1/whiteboard/pages/1/strokes", body).status_code < 500
    assert people[0].send("GET", "/v1/whiteboard/sessions/1/board").status_code == 200


def test_a_number_has_one_spelling(people: list[ApiClient], school: School, api: FastAPI) -> None:
    """In every path and every query of the API."""
    requests, declarations = 0, Declarations()
    for method, path, operation in _operations(api):
        for parameter in operation.get("parameters", []):
            kind = json.dumps(parameter["schema"])
            if '"integer"' not in kind:
                continue
            for value in SPELLINGS if declarations.add(parameter) else SPELLING_OF_EACH_KIND:
                written = quote(value)
                if parameter["in"] == "path":
                    where, expected_statuses = _filled(path.replace(f"{{{parameter['name']}}}", written)), {404, 405}
                else:
                    where, expected_statuses = f"{_filled(path)}?{parameter['name']}={written}", {422, 404}
                response = people[0].send(method, where, BODIES.get(path))
                assert response.status_code in expected_statuses, (method, where, response.text)
                requests += 1
    assert requests > 300


@rules(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_only_plain_digits_are_an_id(text: str) -> None:
    ids = TypeAdapter(RowId)
    if text.isascii() and text.isdecimal() and text[0] != "0" and int(text) < 2**31:
        assert ids.validate_python(text) == int(text)
    else:
        with pytest.raises(ValidationError):
            ids.validate_python(text)


@rules(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.decimals(allow_nan=True, allow_infinity=True) | st.text(max_size=12) | st.floats())
def test_a_price_is_kept_as_it_is_said_or_refused(value: Any) -> None:
    prices = TypeAdapter(Price)
    try:
        price = prices.validate_python(str(value))
    except ValidationError:
        return
    assert 0 <= price < 10**8
    assert price == price.quantize(prices.validate_python("0.01"))
    assert not price.is_signed()
