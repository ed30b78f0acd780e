"""Shared recordings, opened by whoever knows the address: what is played, counted, refused, and never logged."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from devstack.emulator.credentials import Credentials
from tests.api.conftest import ApiClient, ClientFor
from tests.conftest import School, Sql

_FILES = """
    INSERT INTO recording_renditions (recording_id, name, state, object_name, segments, tiles)
    VALUES (:id, '360p', 'ready', 'play/360p.mp4', '{"init": 700, "start": 800, "parts": [[4000, 20000]]}', NULL),
           (:id, 'storyboard', 'ready', 'play/storyboard.jpg', NULL,
            '{"width": 160, "height": 90, "columns": 10, "times_ms": [0]}')
"""
VTT = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nሰላም\n"
Share = Callable[..., str]


@pytest.fixture
def tutor(school: School, client_for: ClientFor) -> ApiClient:
    return client_for(school.tutor)


@pytest.fixture
def share(b2: Credentials, recording_path: str, tutor: ApiClient) -> Share:
    """`share(**body)`: the address below /v1 of a new share."""

    def make(**body: Any) -> str:
        status, document = tutor.ask("POST", f"{recording_path}/share", body)
        assert status == 201
        return f"/v1/shared/{document['url'].rpartition('/')[2]}"

    return make


def test_what_is_shared_is_what_is_played(
    share: Share, client: TestClient, recording_path: str, tutor: ApiClient, sql: Sql
) -> None:
    sql("UPDATE whiteboard_session_recordings SET recording_title = 'Fractions'")
    shared = client.get(share(**{"from": 10, "to": 20})).json()
    playback = tutor.ask("GET", f"{recording_path}/playback")[1]
    assert playback.keys() < shared.keys()
    assert {key: shared[key] for key in shared.keys() - playback.keys()} == {
        "recording_type": "video",
        "from": 10,
        "to": 20,
    }
    for played in (shared, playback):
        assert (played["recording_title"], played["duration_ms"]) == ("Fractions", 120_000)
    (rendition,) = shared["renditions"]
    assert (rendition["name"], rendition["state"]) == ("playback", "ready")
    assert urlsplit(rendition["url"]).path == urlsplit(playback["renditions"][0]["url"]).path


def test_chapters_and_captions_need_nothing_but_the_secret(
    share: Share, client: TestClient, recording_path: str, tutor: ApiClient
) -> None:
    tutor.ask("PUT", f"{recording_path}/chapters", {"chapters": [{"start_ms": 0, "title": "ሰላም"}]})
    tutor.send("PUT", f"{recording_path}/captions/am", content=VTT.encode())
    address = share()
    shared = client.get(address).json()
    assert urlsplit(shared["chapters"]["vtt_url"]).path == f"{address}/chapters.vtt"
    (captions,) = shared["captions"]
    assert (captions["language"], urlsplit(captions["vtt_url"]).path) == ("am", f"{address}/captions.am.vtt")
    assert client.get(f"{address}/captions.am.vtt").text == VTT
    assert "ሰላም" in client.get(f"{address}/chapters.vtt").text
    assert client.get(f"{address}/captions.om.vtt").status_code == 404
    assert client.get(f"{address}/captions/am").status_code == 404


def test_everything_that_a_player_loads_of_a_recording_can_be_shared(api: FastAPI) -> None:
    paths = api.openapi()["paths"]

    def files(folder: str) -> set[str]:
        return {
            path.removeprefix(folder) for path in paths if path.startswith(folder) and path.endswith((".vtt", ".m3u8"))
        }

    assert files("/v1/recordings/{recording_id}/") == files("/v1/shared/{secret}/") != set()


def test_a_shared_recording_is_searched(
    share: Share, client: TestClient, recording_path: str, tutor: ApiClient
) -> None:
    tutor.send("PUT", f"{recording_path}/captions/am", content=VTT.encode())
    address = share()
    matches = client.get(f"{address}/search", params={"q": "ሠላም"}).json()
    assert matches == tutor.ask("GET", f"{recording_path}/search?q=%E1%88%A0%E1%88%8B%E1%88%9D")[1]
    assert matches["total"] == 1
    assert client.get(f"{address}/search").status_code == 422
    assert client.get("/v1/shared/x/search?q=a").status_code == 404


def test_openings_are_counted(share: Share, client: TestClient, recording_path: str, tutor: ApiClient) -> None:
    address = share()
    for _time in range(3):
        assert client.get(address).status_code == 200
    client.get(f"{address}/chapters.vtt")
    (counted,) = tutor.ask("GET", f"{recording_path}/share")[1]["items"]
    assert counted["opened"] == 3
    assert counted["opened_at"] is not None


def test_it_opens_until_it_expires_is_revoked_or_the_recording_is_deleted(
    share: Share, client: TestClient, recording_path: str, tutor: ApiClient, sql: Sql
) -> None:
    expired, revoked, deleted = share(), share(), share()
    sql(
        "UPDATE recording_shares SET expires_at = now() - interval '1 s'"
        " WHERE id = (SELECT min(id) FROM recording_shares)"
    )
    second = sql("SELECT id FROM recording_shares ORDER BY id OFFSET 1 LIMIT 1")[0].id
    assert tutor.send("DELETE", f"{recording_path}/share/{second}").status_code == 204
    assert client.get(deleted).status_code == 200
    tutor.send("DELETE", recording_path)
    answers = [client.get(address) for address in (expired, revoked, deleted, "/v1/shared/x")]
    assert [answer.status_code for answer in answers] == [404] * 4
    # The same for each cause.
    assert len({answer.json()["detail"] for answer in answers}) == 1
    for file in ("chapters.vtt", "captions.am.vtt", "hls/master.m3u8", "hls/360p.m3u8"):
        assert client.get(f"{revoked}/{file}").status_code == 404


def test_addresses_of_files_end_with_the_share(share: Share, client: TestClient, sql: Sql) -> None:
    address = share()
    sql("UPDATE recording_shares SET expires_at = now() + interval '20 s'")
    (expires_at,) = sql("SELECT expires_at FROM recording_shares")[0]
    document = client.get(address).json()
    assert document["expires_at"] == expires_at.isoformat().replace("+00:00", "Z")


def test_segments_and_sheets_end_with_the_share(
    share: Share, client: TestClient, recording_path: str, sql: Sql
) -> None:
    sql(_FILES, id=int(recording_path.rpartition("/")[2]))
    address = share()
    sql("UPDATE recording_shares SET expires_at = now() + interval '5 min'")
    (expires_at,) = sql("SELECT expires_at FROM recording_shares")[0]

    for file in ("hls/360p.m3u8", "storyboard.vtt"):
        response = client.get(f"{address}/{file}")
        assert response.status_code == 200
        # The emulator's tokens can be read: until when they open.
        payload = response.text.split("Authorization=4_")[1].partition(".")[0]
        until = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["until"]
        # A second of rounding, and the time of the request.
        assert until < expires_at.timestamp() + 60


def test_what_cannot_be_played_yet_is_not_counted(share: Share, client: TestClient, sql: Sql) -> None:
    address = share()
    sql("UPDATE whiteboard_session_recordings SET is_available = false, is_processing = true")
    assert client.get(address).status_code == 409
    assert sql("SELECT opened FROM recording_shares")[0][0] == 0


@pytest.mark.parametrize("secret", ["x", "%00", "%F0%9F%99%82", "a" * 5000, "..%2f", "'%20OR%201=1"])
def test_odd_secrets_open_nothing(b2: Credentials, client: TestClient, recording_path: str, secret: str) -> None:
    assert client.get(f"/v1/shared/{secret}").status_code == 404


@pytest.mark.parametrize("limits", [{"limit_unknown_shares_per_minute": 3}])
def test_unknown_addresses_are_limited_and_known_ones_open(share: Share, client: TestClient) -> None:
    address = share()
    statuses = [client.get("/v1/shared/unknown").status_code for _time in range(6)]
    assert statuses[:3] == [404, 404, 404]
    assert statuses[-1] == 429
    assert client.get(address).status_code == 200


def test_the_secret_is_in_no_log_and_in_no_problem(
    share: Share, client: TestClient, capfd: pytest.CaptureFixture[str], sql: Sql
) -> None:
    address = share()
    secret = address.rpartition("/")[2]
    assert client.get(address).status_code == 200
    sql("UPDATE recording_shares SET expires_at = now() - interval '1 s'")
    for path in (address, f"{address}/captions.am.vtt"):
        problem = client.get(path).json()
        assert problem["instance"] == "/v1/shared/***"
        assert secret not in str(problem)
    printed = capfd.readouterr()
    assert "/v1/shared/{secret}" in printed.out
    assert secret not in printed.out + printed.err
