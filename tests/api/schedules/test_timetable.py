"""`/v1/me/timetable`: entries in the words of the platform's form."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import ApiClient, ClientFor
from tests.conftest import School, Sql
from worker.access.callers import Operator
from worker.schedules.timetable.entries import MAX_ENTRIES

PATH = "/v1/me/timetable"
PAYLOADS = json.loads((Path(__file__).parents[2] / "data" / "platform" / "payloads.json").read_text())
FORM: dict[str, Any] = PAYLOADS["schedule_form"]["body"]
TIMES = {"title": "Lab days", "start_time": "08:00", "end_time": "12:00"}


@pytest.fixture
def tutor(school: School, client_for: ClientFor) -> ApiClient:
    return client_for(school.tutor)


def soon(days: float = 1) -> datetime:
    """A full minute in Addis Ababa's clock, so many days ahead."""
    return (datetime.now(UTC) + timedelta(days=days, hours=3)).replace(second=0, microsecond=0)


def once_at(local: datetime, **fields: Any) -> dict[str, Any]:
    """An entry of an hour on one day, by Addis Ababa's clock."""
    return {
        "title": "Mock exam",
        "schedule_type": "specific",
        "specific_dates": [local.date().isoformat()],
        "start_time": f"{local:%H:%M}",
        "end_time": f"{local + timedelta(hours=1):%H:%M}",
    } | fields


def test_the_form_as_the_page_sends_it(tutor: ApiClient) -> None:
    response = tutor.send("POST", PATH, FORM)
    entry = response.json()
    assert (response.status_code, response.headers["Location"]) == (201, f"{PATH}/{entry['id']}")
    sent = FORM | {"start_time": "09:00:00", "end_time": "10:30:00"}
    assert {name: entry[name] for name in FORM} == sent
    assert (entry["role"], entry["timezone"], entry["conflicts"]) == ("tutor", "Africa/Addis_Ababa", [])
    assert entry["text"] == "Every Monday and Wednesday in October to December, 09:00 to 10:30 (Africa/Addis_Ababa)"
    assert tutor.ask("GET", response.headers["Location"]) == (200, entry)
    assert tutor.ask("GET", PATH) == (200, {"items": [entry], "next": None})


@pytest.mark.parametrize("form", PAYLOADS["schedule_forms_that_mean_nothing"])
def test_forms_that_say_nothing_are_refused(tutor: ApiClient, form: dict[str, Any]) -> None:
    status, problem = tutor.ask("POST", PATH, TIMES | form)
    assert (status, problem["code"]) == (422, "invalid-input"), problem


@pytest.mark.parametrize(
    ("form", "stored"),
    [
        (
            {"schedule_type": "recurring", "months": ["October"], "days": ["Tuesday", " Thursday", " Saturday"]},
            {"months": ["October"], "days": ["Tuesday", "Thursday", "Saturday"], "specific_dates": []},
        ),
        (
            {"schedule_type": "recurring", "months": [12, "november"], "days": ["Monday"]},
            {"months": ["November", "December"], "days": ["Monday"]},
        ),
        (
            {
                "schedule_type": "specific_dates",
                "months": ["October"],
                "days": ["Monday"],
                "specific_dates": ["2026-10-06", "2026-10-05"],
            },
            {"schedule_type": "specific", "months": [], "days": [], "specific_dates": ["2026-10-05", "2026-10-06"]},
        ),
    ],
)
def test_forms_that_say_something_are_kept_in_one_spelling(
    tutor: ApiClient, form: dict[str, Any], stored: dict[str, Any]
) -> None:
    status, entry = tutor.ask("POST", PATH, TIMES | {"year": 2026} | form)
    assert status == 201, entry
    assert {name: entry[name] for name in stored} == stored


def test_year_is_where_a_rule_begins(tutor: ApiClient) -> None:
    body = TIMES | {"schedule_type": "recurring", "days": ["Monday"], "months": ["January"]}
    _, entry = tutor.ask("POST", PATH, body | {"year": 2090})
    assert entry["next_starts_at"] == "2090-01-02T05:00:00Z"
    # A rule of years ago goes on.
    _, entry = tutor.ask("POST", PATH, body | {"year": 2001})
    assert entry["next_starts_at"] > f"{datetime.now(UTC):%Y-%m-%d}"
    _, entry = tutor.ask("POST", PATH, body)
    assert entry["year"] == datetime.now(UTC).year


def test_an_end_before_the_start_is_the_next_day(tutor: ApiClient) -> None:
    night = {"schedule_type": "specific", "specific_dates": ["2099-10-03"], "start_time": "22:00", "end_time": "06:00"}
    _, entry = tutor.ask("POST", PATH, {"title": "Night reading"} | night)
    assert (entry["next_starts_at"], entry["next_ends_at"]) == ("2099-10-03T19:00:00Z", "2099-10-04T03:00:00Z")


def test_a_change_is_read_together_with_what_is_stored(tutor: ApiClient) -> None:
    _, entry = tutor.ask("POST", PATH, FORM)
    path = f"{PATH}/{entry['id']}"
    status, changed = tutor.ask("PATCH", path, {"days": ["Friday"], "description": None, "title": " Evening group "})
    assert status == 200, changed
    assert (changed["days"], changed["months"]) == (["Friday"], FORM["months"])
    assert (changed["title"], changed["description"], changed["sequence"]) == ("Evening group", None, 1)
    assert tutor.ask("PATCH", path, {"days": ["Friday"]})[1]["sequence"] == 1
    assert tutor.ask("PATCH", path, {"days": []})[0] == 422
    assert tutor.ask("PATCH", path, {"schedule_type": "specific"})[0] == 422
    _, single = tutor.ask("PATCH", path, {"schedule_type": "specific", "specific_dates": ["2099-01-02"]})
    assert (single["months"], single["days"], single["specific_dates"]) == ([], [], ["2099-01-02"])
    assert tutor.ask("PATCH", path, {"title": None})[0] == 422


def test_a_deleted_entry_is_gone_with_its_reminders(tutor: ApiClient, sql: Sql) -> None:
    _, entry = tutor.ask("POST", PATH, once_at(soon(), alarm_enabled=True))
    assert sql("SELECT count(*) FROM deliveries") == [(2,)]
    path = f"{PATH}/{entry['id']}"
    assert tutor.ask("DELETE", path) == (204, None)
    assert tutor.ask("DELETE", path)[0] == tutor.ask("GET", path)[0] == 404
    assert sql("SELECT count(*) FROM deliveries") == [(0,)]


def test_nobody_elses(school: School, client_for: ClientFor, tutor: ApiClient, operator: Operator) -> None:
    _, entry = tutor.ask("POST", PATH, FORM)
    other, path = client_for(school.other_tutor), f"{PATH}/{entry['id']}"
    assert other.ask("GET", PATH)[1]["items"] == []
    requests = [("GET", None), ("PATCH", {"title": "x"}), ("DELETE", None)]
    assert [other.ask(method, path, body)[0] for method, body in requests] == [404, 404, 404]
    assert client_for(operator).ask("GET", PATH)[0] == 403
    assert tutor.ask("GET", path)[1]["title"] == FORM["title"]


def test_all_roles_in_one_list_or_one_of_them(school: School, client_for: ClientFor, sql: Sql) -> None:
    parent = client_for(school.parent)
    numbers = [parent.ask("POST", PATH, FORM | {"title": f"Entry {number}"})[1]["id"] for number in range(5)]
    sql("UPDATE timetable_entries SET role = 'student', status = 'draft' WHERE id = :id", id=numbers[0])
    assert [entry["id"] for entry in parent.pages(PATH, limit=2)] == numbers[::-1]
    assert [entry["id"] for entry in parent.pages(f"{PATH}?role=student", limit=2)] == numbers[:1]
    assert [entry["id"] for entry in parent.pages(f"{PATH}?status=active", limit=2)] == numbers[:0:-1]


def test_sent_twice_with_a_key_it_is_stored_once(tutor: ApiClient, sql: Sql) -> None:
    key = {"headers": {"Idempotency-Key": "click"}}
    first, second = (tutor.send("POST", PATH, FORM, **key) for _ in range(2))
    assert first.content == second.content
    assert second.headers["Idempotency-Replayed"] == "true"
    assert sql("SELECT count(*) FROM timetable_entries") == [(1,)]


def test_entries_of_one_person_are_limited(tutor: ApiClient, sql: Sql) -> None:
    sql(
        "INSERT INTO timetable_entries (user_id, title, year, start_time, end_time, timezone)"
        " SELECT 1, 'x', 2026, '09:00', '10:00', 'UTC' FROM generate_series(1, :most)",
        most=MAX_ENTRIES,
    )
    assert tutor.ask("POST", PATH, FORM)[0] == 409


class TestConflicts:
    """Lessons at the same times are shown and refuse nothing."""

    def lesson(self, school: School, tutor: ApiClient, local: datetime) -> int:
        body = {"booking_id": school.booking_id, "schedule_date": local.date().isoformat()}
        body |= {"start_time": f"{local:%H:%M}", "end_time": f"{local + timedelta(hours=1):%H:%M}"}
        status, document = tutor.ask("POST", "/v1/schedules", body | {"timezone": "Africa/Addis_Ababa"})
        assert status == 201, document
        schedule_id: int = document["schedule_id"]
        return schedule_id

    def test_of_tutor_and_student_and_not_of_the_parent(
        self, school: School, tutor: ApiClient, client_for: ClientFor
    ) -> None:
        local = soon(10).replace(hour=10)
        schedule_id = self.lesson(school, tutor, local)
        body = once_at(local + timedelta(minutes=30))
        begin = local + timedelta(minutes=30, hours=-3)
        shown = {"starts_at": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "schedule_id": schedule_id}
        shown["ends_at"] = f"{begin + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
        for who, conflicts in ((school.tutor, [shown]), (school.student, [shown]), (school.parent, [])):
            person = client_for(who)
            status, entry = person.ask("POST", PATH, body)
            assert (status, entry["conflicts"]) == (201, conflicts)
            assert person.ask("GET", PATH)[1]["items"][0]["conflicts"] == conflicts
            draft = person.ask("PATCH", f"{PATH}/{entry['id']}", {"status": "draft"})[1]
            assert draft["conflicts"] == []

    def test_neighbours_and_cancelled_lessons_are_none(self, school: School, tutor: ApiClient) -> None:
        local = soon(10).replace(hour=10)
        schedule_id = self.lesson(school, tutor, local)
        assert tutor.ask("POST", PATH, once_at(local + timedelta(hours=1)))[1]["conflicts"] == []
        assert tutor.ask("POST", PATH, once_at(local - timedelta(hours=1)))[1]["conflicts"] == []
        assert tutor.ask("POST", f"/v1/schedules/{schedule_id}/cancel")[0] == 200
        assert tutor.ask("POST", PATH, once_at(local))[1]["conflicts"] == []


class TestReminders:
    """One alarm, by every channel of the person's preferences."""

    WAITING = "SELECT minutes_before, channel FROM deliveries WHERE state = 'pending' ORDER BY 1, 2"

    def test_they_follow_the_entry(self, tutor: ApiClient, sql: Sql) -> None:
        local = soon()
        _, entry = tutor.ask("POST", PATH, once_at(local, alarm_enabled=True))
        path = f"{PATH}/{entry['id']}"
        assert entry["alarm_before_minutes"] == 15
        assert sql(self.WAITING) == [(15, "email"), (15, "in_app")]
        ((due, key),) = sql("SELECT due_at, key FROM deliveries WHERE channel = 'email'")
        starts_at = local - timedelta(hours=3)
        assert due == starts_at - timedelta(minutes=15)
        assert key == f"entry:{entry['id']}:15:{int(starts_at.timestamp())}"
        tutor.ask("PATCH", path, {"alarm_before_minutes": 60})
        assert sql(self.WAITING) == [(60, "email"), (60, "in_app")]
        # Off is off, whatever the minutes say; a draft does not ring.
        for quiet, loud in (({"alarm_enabled": False}, {"alarm_enabled": True}), ({"status": "draft"}, {})):
            tutor.ask("PATCH", path, quiet)
            assert sql(self.WAITING) == []
            tutor.ask("PATCH", path, loud or {"status": "active"})
            assert sql(self.WAITING) == [(60, "email"), (60, "in_app")]

    def test_they_follow_the_preferences(self, tutor: ApiClient, sql: Sql) -> None:
        tutor.ask("POST", PATH, once_at(soon(), alarm_enabled=True))
        # Those alarms are of lessons.
        tutor.ask("PUT", "/v1/me/notification-preferences", {"alarms": [], "channels": ["in_app"]})
        assert sql(self.WAITING) == [(15, "in_app")]

    def test_what_is_far_ahead_is_not_planned_yet(self, tutor: ApiClient, sql: Sql) -> None:
        tutor.ask("POST", PATH, once_at(soon(9), alarm_enabled=True))
        assert sql(self.WAITING) == []
        tutor.ask("POST", PATH, once_at(soon(9), alarm_enabled=True, alarm_before_minutes=8 * 1440))
        assert sql(self.WAITING) == [(8 * 1440, "email"), (8 * 1440, "in_app")]


def test_an_entry_without_a_year_begins_with_this_one(tutor: ApiClient) -> None:
    form = TIMES | {"schedule_type": "recurring", "days": ["Monday"]}
    entries = [tutor.ask("POST", PATH, form | year)[1] for year in ({}, {"year": None})]
    assert {entry["year"] for entry in entries} <= {datetime.now(UTC).year, datetime.now(UTC).year + 1}
