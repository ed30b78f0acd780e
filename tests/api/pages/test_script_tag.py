"""`/astegni.js`: served compressed, cached and revalidated, and small."""

import gzip
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from worker.api.pages import script_tag

MAX_BYTES = 25_000
FOLDER = Path(script_tag.__file__).parent / "tag"


def test_it_is_public_and_cached(client: TestClient) -> None:
    response = client.get("/astegni.js")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert response.headers["cache-control"] == "public, max-age=3600, stale-while-revalidate=604800"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(("accepted", "coding"), [("gzip, br", "gzip"), ("identity", None), ("gzip;q=0", None)])
def test_each_coding_has_its_entity_tag(client: TestClient, accepted: str, coding: str | None) -> None:
    headers = {"Accept-Encoding": accepted}
    response = client.get("/astegni.js", headers=headers)
    assert response.headers.get("content-encoding") == coding
    # The client has decompressed it.
    assert response.content == script_tag.script().content
    again = client.get("/astegni.js", headers=headers | {"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", response.headers["etag"])
    other = client.get("/astegni.js", headers=headers | {"If-None-Match": '"another"'})
    assert other.status_code == 200


def test_it_is_small() -> None:
    assert len(script_tag.script().compressed) <= MAX_BYTES
    assert gzip.decompress(script_tag.script().compressed) == script_tag.script().content


def test_every_part_is_in_it() -> None:
    content = script_tag.script().content.decode()
    assert all(path.read_text() in content for path in FOLDER.glob("*.js"))
