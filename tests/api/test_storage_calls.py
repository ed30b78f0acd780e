"""Pages and playlists that need addresses of B2: while it is asked, no transaction is open."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.api.conftest import ApiClient, ClientFor
from tests.conftest import School, Sql

_TRACK = """
    INSERT INTO recording_renditions (recording_id, name, state, object_name, segments)
    VALUES (:id, '360p', 'ready', 'play/360p.mp4', '{"init": 700, "start": 800, "parts": [[4000, 20000]]}')
"""
_IN_TRANSACTION = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE :idle"


@pytest.fixture
def open_transactions() -> list[int]:
    """How many transactions were open at each request to B2."""
    return []


@pytest.fixture
def limits(sql: Sql, open_transactions: list[int]) -> Iterator[dict[str, Any]]:
    """A B2 that refuses everybody, and counts open transactions first."""

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            [(count,)] = sql(_IN_TRANSACTION, idle="idle in transaction%")
            open_transactions.append(count)
            body = b'{"status": 401, "code": "unauthorized", "message": "no"}'
            self.send_response(401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
            pass

    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield {
        "backblaze_realm": f"http://127.0.0.1:{server.server_port}",
        "backblaze_key_id": "key",
        "backblaze_application_key": "secret",
        "backblaze_bucket_name": "bucket",
    }
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def tutor(school: School, client_for: ClientFor) -> ApiClient:
    return client_for(school.tutor)


@pytest.mark.parametrize("name", ["plain", "hls/360p.m3u8"])
@pytest.mark.parametrize("is_shared", [False, True], ids=["recording", "share"])
def test_no_transaction_is_open_while_b2_is_asked(
    tutor: ApiClient, recording_path: str, sql: Sql, open_transactions: list[int], name: str, *, is_shared: bool
) -> None:
    sql(_TRACK, id=int(recording_path.rpartition("/")[2]))
    folder = recording_path.replace("/v1/recordings", "/watch") if name == "plain" else recording_path
    if is_shared:
        secret = tutor.ask("POST", f"{recording_path}/share", {})[1]["url"].rpartition("/")[2]
        folder = f"/watch/shared/{secret}" if name == "plain" else f"/v1/shared/{secret}"
    response = tutor.send("GET", f"{folder}/{name}")
    assert response.status_code == 502, response.text
    assert set(open_transactions) == {0}
