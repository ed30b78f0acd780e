"""`/v1/me/notification-preferences`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import ApiClient, ClientFor
from tests.conftest import School, Sql
from worker.access.callers import Operator

PATH = "/v1/me/notification-preferences"
USUAL = {
    "alarms": [1440, 15],
    "channels": ["email", "in_app"],
    "fallback": [],
    "language": None,
    "timezone": None,
    "calendar": "gregorian",
    "quiet_start": None,
    "quiet_end": None,
}
ALL = {
    "alarms": [60],
    "channels": ["in_app"],
    "fallback": ["email"],
    "language": "am",
    "timezone": "Europe/London",
    "calendar": "ethiopian",
    "quiet_start": "22:00:00",
    "quiet_end": "06:30:00",
}


@pytest.fixture
def tutor(school: School, client_for: ClientFor) -> ApiClient:
    return client_for(school.tutor)


def channel(sql: Sql, user_id: int, **columns: Any) -> str:
    """A channel of a person; confirmed by default."""
    values = {"confirmed": datetime.now(UTC), "disabled": None} | columns
    ((number,),) = sql(
        "INSERT INTO notification_channels (user_id, kind, address, label, confirmed_at, disabled_at)"
        " VALUES (:user, 'webhook', 'x', 'hook', :confirmed, :disabled) RETURNING id",
        user=user_id,
        **values,
    )
    return str(number)


def test_who_said_nothing_has_the_usual_ones(tutor: ApiClient, sql: Sql) -> None:
    assert tutor.ask("GET", PATH) == (200, USUAL)
    assert sql("SELECT count(*) FROM notification_preferences") == [(0,)]


def test_the_same_as_the_columns_say(tutor: ApiClient, sql: Sql) -> None:
    sql("INSERT INTO notification_preferences (user_id) VALUES (1)")
    assert tutor.ask("GET", PATH) == (200, USUAL)


def test_all_of_them_and_back(tutor: ApiClient, school: School, client_for: ClientFor) -> None:
    assert tutor.ask("PUT", PATH, ALL) == (200, ALL)
    assert tutor.ask("GET", PATH) == (200, ALL)
    assert client_for(school.student).ask("GET", PATH) == (200, USUAL)
    # A PUT replaces: what is not said is as usual.
    assert tutor.ask("PUT", PATH, {}) == (200, USUAL)
    assert tutor.ask("GET", PATH) == (200, USUAL)


def test_what_waits_follows_at_once(tutor: ApiClient, school: School, client_for: ClientFor, sql: Sql) -> None:
    begin = datetime.now(UTC) + timedelta(days=10)
    body = {"booking_id": school.booking_id, "schedule_date": begin.date().isoformat()}
    schedule = tutor.ask("POST", "/v1/schedules", body | {"start_time": "10:00", "end_time": "11:00"})
    assert schedule[0] == 201, schedule
    waiting = "SELECT minutes_before, channel FROM deliveries WHERE user_id = :id AND state = 'pending' ORDER BY 1, 2"
    usual = [(15, "email"), (15, "in_app"), (1440, "email"), (1440, "in_app")]
    for user, who in ((1, school.tutor), (2, school.student), (3, school.parent)):
        assert sql(waiting, id=user) == usual
        client_for(who).ask("PUT", PATH, ALL | {"alarms": [60, 5]})
        assert sql(waiting, id=user) == [(5, "in_app"), (60, "in_app")]
        client_for(who).ask("PUT", PATH, ALL | {"alarms": []})
        assert sql(waiting, id=user) == []


def test_own_confirmed_channels(tutor: ApiClient, sql: Sql) -> None:
    number = channel(sql, 1)
    preferences = ALL | {"channels": [number, "email"], "fallback": ["in_app"]}
    assert tutor.ask("PUT", PATH, preferences) == (200, preferences)


@pytest.mark.parametrize(
    ("owner", "columns", "words"),
    [
        (2, {}, "there is no channel"),
        (1, {"confirmed": None}, "not confirmed"),
        (1, {"disabled": datetime(2026, 1, 1, tzinfo=UTC)}, "switched off"),
    ],
)
def test_other_channels_are_refused(
    tutor: ApiClient, sql: Sql, owner: int, columns: dict[str, Any], words: str
) -> None:
    number = channel(sql, owner, **columns)
    for field in ("channels", "fallback"):
        status, problem = tutor.ask("PUT", PATH, {field: [number]})
        assert (status, problem["code"]) == (422, "invalid-input")
        assert words in problem["detail"]
        assert field in problem["detail"]


@pytest.mark.parametrize(
    "changes",
    [
        {"alarms": list(range(11))},
        {"alarms": [40_321]},
        {"alarms": [-1]},
        {"alarms": [5, 5]},
        {"alarms": ["5"]},
        {"alarms": None},
        {"channels": []},
        {"channels": ["fax"]},
        {"channels": ["email", "email"]},
        {"channels": ["99999999999"]},
        {"fallback": ["9999999999"]},
        {"language": "fr"},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../../etc/passwd"},
        {"timezone": "a\u0000"},
        {"calendar": "julian"},
        {"quiet_start": "22:00"},
        {"quiet_end": "06:00"},
        {"quiet_start": "22:00", "quiet_end": "22:00"},
        {"quiet_start": "25:00", "quiet_end": "06:00"},
        {"volume": 11},
    ],
)
def test_what_cannot_be_preferred(tutor: ApiClient, changes: dict[str, Any]) -> None:
    status, problem = tutor.ask("PUT", PATH, changes)
    assert (status, problem["code"]) == (422, "invalid-input")
    assert tutor.ask("GET", PATH) == (200, USUAL)


@pytest.mark.parametrize("written", ["E. Africa Standard Time", " africa/addis_ababa "])
def test_a_zone_is_kept_by_its_iana_name(tutor: ApiClient, written: str) -> None:
    assert tutor.ask("PUT", PATH, {"timezone": written})[1]["timezone"] == "Africa/Addis_Ababa"


def test_an_offset_is_no_zone(tutor: ApiClient) -> None:
    status, problem = tutor.ask("PUT", PATH, {"timezone": "UTC+3"})
    assert (status, problem["code"]) == (422, "invalid-input")
    assert "like Africa/Addis_Ababa" in problem["detail"]


def test_operators_have_none(client_for: ClientFor, operator: Operator) -> None:
    assert [client_for(operator).ask(method, PATH, body)[0] for method, body in (("GET", None), ("PUT", {}))] == [
        403,
        403,
    ]
