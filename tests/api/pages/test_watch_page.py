"""`/watch/{id}`: public, small, and strict about what it loads."""

import gzip
import re
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from devstack.emulator.credentials import Credentials
from tests.conftest import MakeSettings
from worker.api.app import create_api
from worker.api.pages import watch_page
from worker.api.services import Services
from worker.database import Database
from worker.player.player_files import words_of

FILES = ["/watch.js", "/watch.css", "/watch-words-en.js", "/watch-words-am.js"]
# All that comes before the first byte of a lesson, in gzip.
MOST_BYTES = 24_000


@pytest.mark.parametrize("path", FILES)
def test_files_are_public_cached_and_revalidated(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.headers["content-encoding"]) == (200, "gzip")
    assert response.headers["cache-control"] == "public, max-age=3600, stale-while-revalidate=604800"
    again = client.get(path, headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_page_and_its_files_are_small(client: TestClient) -> None:
    contents = [client.get(path).content for path in ("/watch/1", "/watch.js", "/watch.css", "/watch-words-am.js")]
    assert sum(len(gzip.compress(content, mtime=0)) for content in contents) <= MOST_BYTES


def test_the_page_loads_from_the_api_and_the_bucket_alone(
    settings: MakeSettings, database: Database, b2: Credentials
) -> None:
    with TestClient(create_api(Services(settings(), database, endings={}))) as client:
        for path in ("/watch/1", "/watch/shared/secret"):
            response = client.get(path)
            assert response.headers["referrer-policy"] == "no-referrer"
            parts = urlsplit(b2.realm)
            assert response.headers["content-security-policy"] == (
                "default-src 'none'; script-src 'self'; style-src 'self'; "
                "connect-src 'self' {0}; media-src 'self' blob: {0}; img-src 'self' data: blob: {0}; "
                "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ).format(f"{parts.scheme}://{parts.netloc}")


def test_without_storage_the_page_says_so_itself(client: TestClient) -> None:
    response = client.get("/watch/1")
    assert response.status_code == 200
    assert "connect-src 'self' ;" in response.headers["content-security-policy"]


def test_no_file_names_another_host_or_carries_styles(client: TestClient) -> None:
    texts = [client.get(path).text for path in (*FILES, "/watch/1")]
    assert not [text for text in texts if re.search(r"https?:|style=|<script>", text)]


def test_both_languages_have_allwords_of(client: TestClient) -> None:
    assert words_of("en").keys() == words_of("am").keys()
    page = client.get("/watch/1").text
    assert set(re.findall(r'data-(?:word|label)="([\w-]+)"', page)) <= words_of("en").keys()
    assert set(re.findall(r"\bword\('([\w-]+)'", watch_page.script().content.decode())) <= words_of("en").keys()
