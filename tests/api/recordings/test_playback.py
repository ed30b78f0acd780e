"""What a player gets: posters, the preview and the storyboard, at addresses that open without a token."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from devstack.emulator.credentials import Credentials
from tests.api.conftest import ApiClient, ClientFor
from tests.conftest import School, Sql

_RECORDING = """
    WITH session AS (INSERT INTO whiteboard_sessions (booking_id) VALUES (:booking) RETURNING id), recording AS (
        INSERT INTO whiteboard_session_recordings
               (session_id, is_available, source_sha1, duration_seconds, recording_metadata)
        SELECT id, true, repeat('a', 40), 30, '{"duration_ms": 30000}' FROM session RETURNING id)
    INSERT INTO recording_renditions (recording_id, name, state, object_name, mime, width, height, bytes, tiles)
    SELECT id, picture.name, picture.state, CASE WHEN picture.state = 'ready' THEN 'play/' || picture.name || id END,
           picture.mime, 320, 180, 1000, picture.tiles::jsonb
      FROM recording, (VALUES ('playback', 'ready', 'video/mp4', NULL), ('poster-320', 'ready', 'image/jpeg', NULL),
                              ('poster-320-webp', 'ready', 'image/webp', NULL), ('preview', 'failed', NULL, NULL),
                              ('storyboard-2', 'ready', 'image/jpeg', :second), ('storyboard', 'ready', 'image/jpeg',
                              :first)) AS picture (name, state, mime, tiles)
 RETURNING recording_id
"""


def tiles(*times_ms: int) -> str:
    return json.dumps({"width": 160, "height": 90, "columns": 10, "times_ms": times_ms})


@pytest.fixture
def path(school: School, sql: Sql) -> str:
    """The address of a recording of the school's booking, 30 seconds long, with two sheets and two posters."""
    rows = sql(_RECORDING, booking=school.booking_id, first=tiles(0, 10_020), second=tiles(20_000))
    return f"/v1/recordings/{rows[0][0]}"


@pytest.fixture
def student(school: School, client_for: ClientFor) -> ApiClient:
    return client_for(school.student)


def playback_of(student: ApiClient, path: str) -> dict[str, Any]:
    status, playback = student.ask("GET", f"{path}/playback")
    assert status == 200
    return dict(playback)


@pytest.mark.usefixtures("b2")
def test_posters_have_addresses_and_what_failed_has_none(student: ApiClient, path: str) -> None:
    playback = playback_of(student, path)
    assert [rendition["name"] for rendition in playback["renditions"]] == ["playback"]
    posters = playback["posters"]
    assert {poster["mime"] for poster in posters} == {"image/jpeg", "image/webp"}
    assert {(poster["width"], poster["height"], poster["bytes"]) for poster in posters} == {(320, 180, 1000)}
    assert all("Authorization=" in poster["url"] for poster in posters)
    assert (playback["preview_url"], playback["activity_url"]) == (None, None)


def test_a_player_reads_the_storyboard_without_a_token(
    student: ApiClient, path: str, client: TestClient, b2: Credentials
) -> None:
    address = urlsplit(playback_of(student, path)["storyboard"]["vtt_url"])
    assert address.path == f"{path}/storyboard.vtt"
    assert client.get(address.path).status_code == 401

    response = client.get(f"{address.path}?{address.query}")

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/vtt")
    assert response.headers["cache-control"] == "no-store"
    first, *cues = response.text.split("\n\n")
    assert first == "WEBVTT"
    shown = [cue.split("\n")[:2] for cue in cues]
    assert [times for times, _ in shown] == [
        "00:00:00.000 --> 00:00:10.020",
        "00:00:10.020 --> 00:00:20.000",
        "00:00:20.000 --> 00:00:30.000",
    ]
    for (_, picture), (name, place) in zip(
        shown, [("storyboard", "0,0"), ("storyboard", "160,0"), ("storyboard-2", "0,0")], strict=True
    ):
        pattern = rf"{re.escape(b2.realm)}/file/[^/]+/play/{name}\d+\?Authorization=[^&#]+#xywh={place},160,90"
        assert re.fullmatch(pattern, picture)


@pytest.mark.usefixtures("b2")
def test_without_a_storyboard_there_is_no_address(student: ApiClient, path: str, sql: Sql) -> None:
    sql("DELETE FROM recording_renditions WHERE name LIKE 'storyboard%'")
    assert playback_of(student, path)["storyboard"] is None
    assert student.ask("GET", f"{path}/storyboard.vtt")[0] == 404
