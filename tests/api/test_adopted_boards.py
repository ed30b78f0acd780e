"""`platform_session_id` at POST /v1/whiteboard/sessions: a call of the platform is adopted when it is first named."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Bearer
from tests.conftest import Platform, Sql
from worker.access.callers import UserCaller
from worker.api.services import Services
from worker.platform.connection import PlatformConnection
from worker.platform.people import PlatformPeople
from worker.platform.zone import PlatformZone, ServerZone
from worker.workflows.platform_import.pull import import_platform

_PATH = "/v1/whiteboard/sessions"
_TUTOR = UserCaller(11, "tutor", tutor_id=14)
_STUDENT = UserCaller(12, "student", student_id=11)
_OUTSIDER = UserCaller(16, "student", student_id=14)


@pytest.fixture(autouse=True)
def bridge(services: Services, platform_connection: PlatformConnection, platform_people: PlatformPeople) -> None:
    services.context.platform_connection = platform_connection
    services.context.platform_people = platform_people


def _adopt(client: TestClient, headers: dict[str, str], platform_id: int, **more: Any) -> Any:
    return client.post(_PATH, json={"platform_session_id": platform_id, **more}, headers=headers)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_both_sides_get_one_board_led_by_the_tutor(client: TestClient, bearer: Bearer, order: tuple[int, int]) -> None:
    sides = [(_TUTOR, 102), (_STUDENT, 101)]
    responses = [_adopt(client, bearer(caller), each) for caller, each in (sides[place] for place in order)]

    assert [response.status_code for response in responses] == [201, 200]
    first, second = (response.json() for response in responses)
    assert first == second
    assert (first["host_profile_type"], first["host_profile_id"]) == ("tutor", 14)
    assert (first["participant_profile_types"], first["participant_profile_ids"]) == (["student"], [11])
    assert (first["status"], first["actual_start"]) == ("in_progress", "2026-10-20T14:02:11.204318Z")
    assert [(page["page_number"], page["is_active"]) for page in first["pages"]] == [(1, True)]
    assert responses[0].headers["location"] == f"{_PATH}/{first['id']}"


def test_both_sides_at_once(client: TestClient, bearer: Bearer, sql: Sql) -> None:
    sides = [(bearer(_TUTOR), 102), (bearer(_STUDENT), 101)] * 4
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda side: _adopt(client, *side), sides))

    assert sorted(response.status_code for response in responses) == [200] * 7 + [201]
    assert len({response.json()["id"] for response in responses}) == 1
    assert len(sql("SELECT FROM whiteboard_sessions")) == 1


def test_its_people_come_with_it(client: TestClient, bearer: Bearer, sql: Sql) -> None:
    """Nobody of the call has used this API before but the one who asks."""
    assert _adopt(client, bearer(_TUTOR), 102).status_code == 201

    assert sql("SELECT id, user_id FROM student_profiles WHERE id = 11") == [(11, 12)]


def test_it_is_a_session_like_any_other(client: TestClient, bearer: Bearer) -> None:
    board = _adopt(client, bearer(_TUTOR), 102).json()
    path = f"{_PATH}/{board['id']}"

    assert client.post(f"{path}/start", headers=bearer(_TUTOR)).status_code == 200
    assert client.post(f"{path}/join", headers=bearer(_STUDENT)).status_code == 200
    stroke = {"client_id": "a", "stroke_type": "pen", "stroke_data": {"points": [[1, 2], [30, 4]], "width": 3}}
    strokes = f"/v1/whiteboard/pages/{board['pages'][0]['id']}/strokes"
    assert client.post(strokes, json={"strokes": [stroke]}, headers=bearer(_TUTOR)).json()["refused"] == []
    assert client.post(f"{path}/end", headers=bearer(_TUTOR)).json()["status"] == "completed"
    # The next call of the same people is another board.
    assert _adopt(client, bearer(_TUTOR), 103).json()["id"] != board["id"]


@pytest.mark.parametrize("platform_id", [2**31 - 1, 102, 999])
def test_who_does_not_take_part(client: TestClient, bearer: Bearer, platform_id: int) -> None:
    response = _adopt(client, bearer(_OUTSIDER), platform_id)

    assert response.status_code == 404
    _adopt(client, bearer(_TUTOR), 102)
    assert _adopt(client, bearer(_OUTSIDER), platform_id).status_code == 404


def test_while_the_platform_is_away(client: TestClient, bearer: Bearer, services: Services) -> None:
    board = _adopt(client, bearer(_TUTOR), 102).json()
    client.get("/v1/me", headers=bearer(_STUDENT))
    away = PlatformConnection("postgresql://astegni_reader@127.0.0.1:1/astegni")
    services.context.platform_connection, services.context.platform_people = away, PlatformPeople(away)
    services.context.platform_zone = PlatformZone(away, None)

    responses = [_adopt(client, bearer(caller), each) for caller, each in ((_STUDENT, 101), (_TUTOR, 103))]

    away.close()
    # Adopted before, so nothing is asked there.
    assert (responses[0].status_code, responses[0].json()["id"]) == (200, board["id"])
    assert responses[1].status_code == 503
    assert responses[1].headers["retry-after"]


def test_without_a_proof_of_the_zone(
    client: TestClient,
    bearer: Bearer,
    platform: Platform,
    services: Services,
    platform_connection: PlatformConnection,
    sql: Sql,
) -> None:
    """A board is needed now, whatever the server's clock says: it begins now, and the import corrects that."""
    platform.owner.execute("TRUNCATE whiteboard_call_history")

    board = _adopt(client, bearer(_TUTOR), 102).json()

    assert sql("SELECT now() - created_at < interval '10 minutes' AS is_now FROM whiteboard_sessions") == [(True,)]

    _import(services, platform_connection)

    began = datetime.fromisoformat("2026-10-20T14:02:11.204318Z")
    assert sql("SELECT created_at, actual_start FROM whiteboard_sessions WHERE id = :id", id=board["id"]) == [
        (began, began)
    ]


def test_the_import_knows_what_was_adopted(
    client: TestClient, bearer: Bearer, services: Services, platform_connection: PlatformConnection, sql: Sql
) -> None:
    board = _adopt(client, bearer(_STUDENT), 101).json()

    _import(services, platform_connection)

    links = sql("SELECT DISTINCT id FROM platform_links WHERE kind = 'board' AND platform_id IN (101, 102)")
    assert links == [(board["id"],)]
    assert len(sql("SELECT FROM whiteboard_sessions")) == 6
    assert _adopt(client, bearer(_TUTOR), 102).json()["pages"] == board["pages"]


def _import(services: Services, connection: PlatformConnection) -> None:
    zone = ServerZone("Europe/Berlin")
    timezone = services.settings.timezone
    list(import_platform(services.database, connection, timezone=timezone, server_zone=zone, compare=True))


def test_a_session_without_pages_gets_its_first(client: TestClient, bearer: Bearer, platform: Platform) -> None:
    platform.owner.execute("DELETE FROM whiteboard_pages")

    pages = _adopt(client, bearer(_TUTOR), 102).json()["pages"]

    assert [(page["page_number"], page["page_title"], page["is_active"]) for page in pages] == [(1, "Page 1", True)]


@pytest.mark.parametrize(
    "more", [{"booking_id": 1}, {"participant_profile_ids": [11], "participant_profile_types": ["student"]}]
)
def test_its_people_are_the_platform_s(client: TestClient, bearer: Bearer, more: dict[str, Any]) -> None:
    response = _adopt(client, bearer(_TUTOR), 102, **more)

    assert response.status_code == 422
    assert "a session of the platform has people of its own" in response.text


def test_the_same_key_gets_the_same_answer(client: TestClient, bearer: Bearer) -> None:
    headers = bearer(_TUTOR) | {"Idempotency-Key": "platform-session-102"}

    first, second = _adopt(client, headers, 102), _adopt(client, headers, 102)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.text == second.text


def test_without_a_platform(client: TestClient, bearer: Bearer, services: Services) -> None:
    _adopt(client, bearer(_TUTOR), 102)
    services.context.platform_connection = None

    response = _adopt(client, bearer(_TUTOR), 102)

    assert response.status_code == 422
    assert "PLATFORM_DATABASE_URL" in response.json()["detail"]
