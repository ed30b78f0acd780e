"""`/recorder.js` and `/record`: public, cached, small, and strict about what they load."""

import gzip
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.conftest import MakeSettings
from worker.api.app import create_api
from worker.api.pages import record_page
from worker.api.services import Services
from worker.database import Database

MOST_BYTES = 12_000
FOLDER = Path(record_page.__file__).parent


@pytest.mark.parametrize("path", ["/recorder.js", "/record", "/record.css", "/record.js", "/record-words.js"])
def test_everything_is_public_cached_and_revalidated(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.headers["content-encoding"]) == (200, "gzip")
    assert response.headers["cache-control"] == "public, max-age=3600, stale-while-revalidate=604800"
    again = client.get(path, headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_module_is_small_and_whole(client: TestClient) -> None:
    content = client.get("/recorder.js").content.decode()
    assert len(gzip.compress(content.encode(), mtime=0)) <= MOST_BYTES
    lines = [line for path in (FOLDER / "recorder").glob("*.js") for line in path.read_text().splitlines()]
    code = [line for line in lines if not re.match(r" *(//|/?\*)", line)]
    assert set(content.splitlines()) == set(code)
    assert set(re.findall(r"^import .*", content, re.MULTILINE)) == set()


def test_pages_of_other_origins_may_import_the_module(client: TestClient) -> None:
    headers = client.get("/recorder.js", headers={"Origin": "https://astegni.example"}).headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"


def test_the_page_loads_nothing_of_others(client: TestClient) -> None:
    response = client.get("/record")
    assert response.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; worker-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    texts = [path.read_text() for path in (FOLDER / "pages").glob("record*")]
    assert not [text for text in texts if "http:" in text or "https:" in text or "style=" in text]


def test_the_page_may_send_to_the_address_of_uploads(database: Database, settings: MakeSettings) -> None:
    services = Services(settings(upload_base_url="https://uploads-1.astegni.example/worker"), database, {})
    with TestClient(create_api(services)) as client:
        responses = [client.get(path) for path in ("/record", "/record.js", "/recorder.js")]
    policies = [response.headers["content-security-policy"] for response in responses]
    assert "connect-src 'self' https://uploads-1.astegni.example;" in policies[0]
    assert "astegni.example" not in policies[1] + policies[2]


def test_both_languages_have_all_words() -> None:
    words = (FOLDER / "record-words.js").read_text()
    english, amharic = (set(re.findall(r"^    '?([\w-]+)'?: ", part, re.MULTILINE)) for part in words.split("  am: {"))
    assert english == amharic
    page = (FOLDER / "record.html").read_text()
    assert set(re.findall(r'data-word="(\w+)"', page)) <= english
