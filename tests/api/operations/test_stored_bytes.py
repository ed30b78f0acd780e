"""The metric of bytes on B2."""

from starlette.testclient import TestClient

from tests.conftest import Sql
from worker.api.app import create_api
from worker.api.services import Services

_ROWS = """
WITH board AS (INSERT INTO whiteboard_sessions (status) VALUES ('completed') RETURNING id),
     page AS (INSERT INTO whiteboard_pages (session_id) SELECT id FROM board RETURNING id, session_id),
     recording AS (INSERT INTO whiteboard_session_recordings (session_id) SELECT id FROM board RETURNING id),
     snapshot AS (INSERT INTO whiteboard_snapshots (session_id, page_id, name, content_digest, object_name, file_id,
                                                    bytes, mime)
                  SELECT session_id, id, 'png', repeat('a', 64), 'board', 'f', 70, 'image/png' FROM page)
INSERT INTO recording_renditions (recording_id, name, state, object_name, bytes)
SELECT id, name, state, object_name, bytes FROM recording, (VALUES
       ('playback', 'ready', 'a', 4000000000), ('storyboard', 'ready', 'b', 20), ('storyboard-2', 'ready', 'c', 3),
       ('source', 'ready', 'd', 5), ('360p', 'pending', NULL, NULL)) AS made (name, state, object_name, bytes)
"""


def test_bytes_on_b2_by_prefix_and_kind(services: Services, sql: Sql) -> None:
    sql(_ROWS)
    with TestClient(create_api(services)) as client:
        lines = client.get("/metrics").text.splitlines()
        sql("DELETE FROM recording_renditions")
        again = client.get("/metrics").text.splitlines()
    figures = [line for line in lines if line.startswith("astegni_stored_bytes{")]
    assert sorted(figures) == [
        'astegni_stored_bytes{kind="playback",prefix="videos/whiteboard"} 4e+09',
        'astegni_stored_bytes{kind="png",prefix="snapshots/whiteboard"} 70.0',
        'astegni_stored_bytes{kind="source",prefix="videos/whiteboard"} 5.0',
        'astegni_stored_bytes{kind="storyboard",prefix="videos/whiteboard"} 23.0',
    ]
    # Every row is read for them: once a minute.
    assert [line for line in again if line.startswith("astegni_stored_bytes{")] == figures
