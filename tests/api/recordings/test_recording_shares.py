"""Addresses of recordings that need no token: who makes, lists and revokes them, and what is kept of them."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import ApiClient, ClientFor
from tests.conftest import School, Sql
from worker.access.callers import Operator
from worker.database import Database
from worker.recordings.shares import prune_shares


@pytest.fixture
def tutor(school: School, client_for: ClientFor) -> ApiClient:
    return client_for(school.tutor)


def secret_of(share: dict[str, Any]) -> str:
    return str(share["url"].rpartition("/")[2])


def test_an_address_is_made_listed_and_revoked(recording_path: str, tutor: ApiClient) -> None:
    address = f"{recording_path}/share"
    assert tutor.ask("GET", address) == (200, {"items": [], "next": None})
    status, share = tutor.ask("POST", address)
    assert status == 201
    assert "/watch/shared/" in share["url"]
    # 256 bits.
    assert len(secret_of(share)) == 43
    assert datetime.fromisoformat(share["expires_at"]) == pytest.approx(
        datetime.now(UTC) + timedelta(days=30), abs=timedelta(minutes=5)
    )
    assert (share["from"], share["to"], share["opened"], share["opened_at"]) == (None, None, 0, None)

    other = tutor.ask("POST", address, {"from": 10, "to": 20})[1]
    listed = tutor.ask("GET", address)[1]["items"]
    assert listed == [{key: item[key] for key in item.keys() - {"url"}} for item in (other, share)]

    assert tutor.send("DELETE", f"{address}/{share['id']}").status_code == 204
    assert tutor.ask("DELETE", f"{address}/{share['id']}")[0] == 404
    assert [item["id"] for item in tutor.ask("GET", address)[1]["items"]] == [other["id"]]
    for _time in range(2):
        assert tutor.send("DELETE", address).status_code == 204
    assert tutor.ask("GET", address)[1]["items"] == []


def test_only_a_hash_of_the_secret_is_kept(recording_path: str, tutor: ApiClient, sql: Sql, school: School) -> None:
    secret = secret_of(tutor.ask("POST", f"{recording_path}/share")[1])
    (row,) = sql("SELECT * FROM recording_shares")
    assert row.secret_hash == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in str(row)
    assert row.created_by == school.tutor.user_id


def test_an_idempotency_key_keeps_no_secret(recording_path: str, tutor: ApiClient, sql: Sql) -> None:
    urls = {
        tutor.send("POST", f"{recording_path}/share", headers={"Idempotency-Key": "k"}).json()["url"]
        for _time in range(2)
    }
    assert len(urls) == 2
    assert sql("SELECT count(*) FROM idempotency_keys")[0][0] == 0


def days(number: float) -> str:
    return (datetime.now(UTC) + timedelta(days=number)).isoformat()


@pytest.mark.parametrize(
    "body",
    [
        {"expires_at": days(-1)},
        {"expires_at": days(400)},
        {"expires_at": "2027-01-01"},
        {"expires_at": 5},
        {"from": -1},
        {"from": 1.5},
        {"from": "1"},
        {"from": 120},
        {"to": 0},
        {"from": 60, "to": 60},
        {"from": 60, "to": 30},
        {"to": 10**9},
        {"from_seconds": 1},
        {"secret": "chosen"},
        [],
    ],
)
def test_invalid_shares_are_refused(recording_path: str, tutor: ApiClient, sql: Sql, body: Any) -> None:
    assert tutor.ask("POST", f"{recording_path}/share", body)[0] == 422
    assert sql("SELECT count(*) FROM recording_shares")[0][0] == 0


def test_only_its_tutor_and_operators_share(
    recording_path: str, tutor: ApiClient, school: School, client_for: ClientFor, operator: Operator, sql: Sql
) -> None:
    address = f"{recording_path}/share"
    share = tutor.ask("POST", address)[1]
    for person, status in (("student", 403), ("parent", 403), ("other_tutor", 404), ("other_student", 404)):
        other = client_for(getattr(school, person))
        assert other.ask("POST", address)[0] == status
        assert other.ask("GET", address)[0] == status
        assert other.ask("DELETE", address)[0] == status
        assert other.ask("DELETE", f"{address}/{share['id']}")[0] == status
    assert client_for(operator).ask("POST", address)[0] == 201
    assert [row.created_by for row in sql("SELECT created_by FROM recording_shares ORDER BY id")] == [1, None]


def test_an_address_of_another_recording_is_not_revoked(recording_path: str, tutor: ApiClient, sql: Sql) -> None:
    share = tutor.ask("POST", f"{recording_path}/share")[1]
    other = sql(
        "INSERT INTO whiteboard_session_recordings (session_id) SELECT session_id"
        " FROM whiteboard_session_recordings RETURNING id"
    )[0].id
    assert tutor.ask("DELETE", f"/v1/recordings/{other}/share/{share['id']}")[0] == 404
    assert tutor.send("DELETE", f"/v1/recordings/{other}/share").status_code == 204
    assert len(tutor.ask("GET", f"{recording_path}/share")[1]["items"]) == 1


@pytest.mark.parametrize("limits", [{"limit_shares_of_recording": 2}])
def test_a_recording_has_a_bounded_number_of_addresses_that_open(
    recording_path: str, tutor: ApiClient, sql: Sql
) -> None:
    address = f"{recording_path}/share"
    assert [tutor.ask("POST", address)[0] for _time in range(3)] == [201, 201, 409]
    sql("UPDATE recording_shares SET expires_at = now() - interval '1 s'")
    assert tutor.ask("POST", address)[0] == 201


def test_expired_addresses_are_forgotten_later(
    recording_path: str, tutor: ApiClient, database: Database, sql: Sql
) -> None:
    for _time in range(3):
        tutor.ask("POST", f"{recording_path}/share")
    sql("UPDATE recording_shares SET expires_at = now() - make_interval(secs => 100 * id)")
    with database.transaction() as session:
        assert prune_shares(session, age=150, most=1) == 1
        assert prune_shares(session, age=150, most=10) == 1
    assert sql("SELECT count(*) FROM recording_shares")[0][0] == 1


def test_addresses_go_with_the_recording_and_stay_without_their_maker(
    recording_path: str, tutor: ApiClient, sql: Sql
) -> None:
    tutor.ask("POST", f"{recording_path}/share")
    sql("INSERT INTO users (id, first_name, email) VALUES (99, 'Abel', 'abel@example.com')")
    sql("UPDATE recording_shares SET created_by = 99")
    sql("DELETE FROM users WHERE id = 99")
    assert sql("SELECT created_by FROM recording_shares") == [(None,)]
    assert tutor.send("DELETE", recording_path).status_code == 204
    assert sql("SELECT count(*) FROM recording_shares")[0][0] == 0
