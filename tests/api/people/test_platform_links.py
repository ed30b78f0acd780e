"""`GET /v1/platform/links`: ids of the platform's rows and of ours, for those who may see them."""

from typing import Any, get_args

import pytest

from tests.api.conftest import ClientFor
from tests.conftest import School, Sql
from worker.api.people.platform_links import LinkKind
from worker.workflows.platform_import.kinds import all_kinds

LESSON = {"schedule_date": "2029-01-04", "start_time": "10:00", "end_time": "11:00"}


@pytest.fixture
def links(school: School, client_for: ClientFor, sql: Sql) -> dict[str, int]:
    """Our rows by kind; the platform calls each of them 2000 more."""
    tutor = client_for(school.tutor)
    entry = {
        "title": "Books",
        "schedule_type": "recurring",
        "start_time": "09:00",
        "end_time": "10:00",
        "days": ["Monday"],
    }
    tutor.ask("POST", "/v1/schedules", {**LESSON, "booking_id": school.booking_id})
    (lesson,) = sql("SELECT id FROM tutor_schedules")
    board = tutor.ask("POST", "/v1/whiteboard/sessions", {"booking_id": school.booking_id})[1]
    ours = {
        "lesson": int(lesson.id),
        "board": int(board["id"]),
        "entry": int(tutor.ask("POST", "/v1/me/timetable", entry)[1]["id"]),
    }
    for kind, row_id in ours.items():
        sql(
            "INSERT INTO platform_links (kind, platform_id, id, digest) VALUES (:kind, :platform_id, :id, '')",
            kind=kind,
            platform_id=row_id + 2000,
            id=row_id,
        )
    return ours


@pytest.mark.parametrize("kind", ["lesson", "board", "entry"])
def test_only_those_who_may_see_a_row_learn_its_id(
    kind: str, links: dict[str, int], school: School, client_for: ClientFor
) -> None:
    path, row_id = f"/v1/platform/links/{kind}/{links[kind] + 2000}", links[kind]
    document: dict[str, Any] = {"kind": kind, "platform_id": row_id + 2000, "is_imported": False}
    assert client_for(school.tutor).ask("GET", path) == (200, {**document, "id": row_id})
    assert client_for(school.other_tutor).ask("GET", path) == (200, {**document, "id": None})
    unknown = client_for(school.tutor).ask("GET", f"/v1/platform/links/{kind}/99")
    assert unknown == (200, {**document, "platform_id": 99, "id": None})


def test_each_kind_is_one_that_is_imported() -> None:
    assert set(get_args(LinkKind)) <= {kind.name for kind in all_kinds()}
