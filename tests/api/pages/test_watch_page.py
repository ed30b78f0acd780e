"""`/watch/{id}`: public, small, and strict about what it loads."""

import gzip
import re
from urllib.parse import urlsplit

from starlette.testclient import TestClient

from devstack.emulator.credentials import Credentials
from tests.conftest import MakeSettings
from worker.api.app import create_api
from worker.api.pages.page_assets import asset
from worker.api.services import Services
from worker.database import Database
from worker.player.player_files import words_of

FILES = ("/watch.js", "/watch.css", "/watch-words-en.js", "/watch-words-am.js")
# All that comes before the first byte of a lesson, in gzip.
MAX_BYTES = 24_000


def test_the_page_and_its_files_are_small(client: TestClient) -> None:
    contents = [client.get(path).content for path in ("/watch/1", "/watch.js", "/watch.css", "/watch-words-am.js")]
    assert sum(len(gzip.compress(content, mtime=0)) for content in contents) <= MAX_BYTES


def test_the_page_loads_from_the_api_and_the_bucket_alone(
    settings: MakeSettings, database: Database, b2: Credentials
) -> None:
    with TestClient(create_api(Services(settings(), database, failure_hooks={}))) as client:
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
    assert set(re.findall(r"\bword\('([\w-]+)'", asset("/watch.js").content.decode())) <= words_of("en").keys()
