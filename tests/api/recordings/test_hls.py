"""Playlists for players that send no headers: each address in them opens by itself."""

import json
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from devstack.emulator.credentials import Credentials
from tests.api.conftest import ApiClient, ClientFor
from tests.conftest import School, Sql
from worker.api.recordings.hls import TrackName
from worker.media.renditions.rendition_forms import PICTURES

_RECORDING = """
    WITH session AS (INSERT INTO whiteboard_sessions (booking_id) VALUES (:booking) RETURNING id)
    INSERT INTO whiteboard_session_recordings (session_id, is_available, source_sha1, duration_seconds)
    SELECT id, true, repeat('a', 40), 120 FROM session RETURNING id, session_id
"""
_ROW = """
    INSERT INTO recording_renditions (recording_id, name, state, object_name, codecs, width, height, segments, bit_rate)
    VALUES (:id, :name, 'ready', :object, :codecs, :width, :height, CAST(:segments AS jsonb), 1000)
"""
_SEGMENTS = json.dumps({"init": 700, "start": 800, "parts": [[4000, 20_000], [2000, 7000]]})
TRACKS = (("360p", "avc1.4d401f", 640, 360), ("audio-aac", "mp4a.40.2", None, None))


@pytest.fixture
def path(school: School, sql: Sql, b2: Credentials) -> str:
    """The address of a recording with a picture, a sound and a row `hls`."""
    recording_id, session_id = sql(_RECORDING, booking=school.booking_id)[0]
    folder = f"videos/whiteboard/session_{session_id}/recording_{recording_id}/{'a' * 12}/play/"
    for name, codecs, width, height in TRACKS:
        values = {"codecs": codecs, "width": width, "height": height, "segments": _SEGMENTS}
        sql(_ROW, id=recording_id, name=name, object=f"{folder}{name}.mp4", **values)
    sql("INSERT INTO recording_renditions (recording_id, name, state) VALUES (:id, 'hls', 'ready')", id=recording_id)
    return f"/v1/recordings/{recording_id}"


@pytest.fixture
def student(school: School, client_for: ClientFor) -> ApiClient:
    return client_for(school.student)


def relative(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def addresses(playlist: str) -> list[str]:
    return [line for line in playlist.splitlines() if line.startswith("http")]


def hls_of(playback: dict[str, Any]) -> str:
    (row,) = [row for row in playback["renditions"] if row["name"] == "hls"]
    return str(row["url"])


def test_every_video_size_and_the_sound_can_be_tracks() -> None:
    assert sorted(get_args(TrackName)) == sorted(["audio-aac", *PICTURES])


def test_a_player_follows_the_addresses_without_a_token(path: str, student: ApiClient, client: TestClient) -> None:
    master = client.get(relative(hls_of(student.ask("GET", f"{path}/playback")[1])))

    assert (master.status_code, master.headers["content-type"]) == (200, "application/vnd.apple.mpegurl")
    picture, sound = addresses(master.text)
    assert f'URI="{sound}"' in master.text
    assert 'CODECS="avc1.4d401f,mp4a.40.2",RESOLUTION=640x360' in master.text
    track = client.get(relative(picture))
    assert track.status_code == 200
    assert {urlsplit(url).path.rpartition("/")[2] for url in addresses(track.text)} == {"360p.mp4"}
    assert "Authorization=" in addresses(track.text)[0]
    assert "#EXT-X-BYTERANGE:7000@20800" in track.text.splitlines()
    assert client.get(relative(sound)).status_code == 200


def test_a_ticket_opens_one_playlist(path: str, student: ApiClient, client: TestClient) -> None:
    url = relative(hls_of(student.ask("GET", f"{path}/playback")[1]))

    assert client.get(url.replace("master", "360p")).status_code == 401
    assert client.get(f"{path}/hls/master.m3u8").status_code == 401


def test_what_is_not_there_is_not_found(path: str, student: ApiClient, sql: Sql) -> None:
    assert student.ask("GET", f"{path}/hls/720p.m3u8")[0] == 404
    assert student.ask("GET", f"{path}/hls/other.m3u8")[0] == 404
    sql("DELETE FROM recording_renditions")
    assert student.ask("GET", f"{path}/hls/master.m3u8")[0] == 404
