"""What pages load: addresses with one version, cached permanently, so that no cache mixes two releases."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from starlette.testclient import TestClient

PAGES = ("/", "/watch/1", "/watch/shared/secret", "/record", "/docs")
SCRIPTS = ("/watch.js", "/watch-words-en.js", "/watch-words-am.js", "/watch-old.js", "/index.js", "/record.js")
ASSETS = (*SCRIPTS, "/record-words.js", "/watch.css", "/record.css", "/plain.css", "/docs.css")
_LOADED = re.compile(r"""(?:<link rel="stylesheet" href=|<script [^>]*src=|\bimport\(|\bfrom )["'`]([^"'`]+)""")


def _loaded(client: TestClient, address: str) -> Iterator[str]:
    """The addresses of what a page or script loads, and what that loads."""
    for relative in _LOADED.findall(client.get(address).text):
        target = urljoin(address, relative.replace("${language}", "am"))
        yield target
        yield from _loaded(client, target)


@pytest.mark.parametrize("page", PAGES)
def test_everything_a_page_loads_is_of_one_version_and_kept_for_good(client: TestClient, page: str) -> None:
    addresses = list(_loaded(client, page))
    assert addresses
    assert {urlsplit(address).path for address in addresses} <= {*ASSETS, "/recorder.js"}
    ((version,),) = {tuple(parse_qs(urlsplit(address).query).get("v", ())) for address in addresses}
    assert re.fullmatch("[0-9a-f]{16}", version)
    kept = {client.get(address).headers["cache-control"] for address in addresses}
    assert kept == {"public, max-age=31536000, immutable"}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_checked_at_each_load(client: TestClient, page: str) -> None:
    response = client.get(page)
    assert response.headers["cache-control"] == "private, no-cache"
    again = client.get(page, headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("query", ["", "?v=0123456789abcdef"])
@pytest.mark.parametrize("path", ASSETS)
def test_another_version_is_checked_at_each_load(client: TestClient, path: str, query: str) -> None:
    """Before and after a release both are asked for, as by a page that stays open, or of another API during one."""
    response = client.get(f"{path}{query}")
    assert (response.status_code, response.headers["content-encoding"]) == (200, "gzip")
    assert response.headers["cache-control"] == "public, no-cache"
    again = client.get(f"{path}{query}", headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_recorder_is_checked_each_hour_where_other_pages_import_it(client: TestClient) -> None:
    response = client.get("/recorder.js")
    assert response.headers["cache-control"] == "public, max-age=3600, stale-while-revalidate=604800"
    again = client.get("/recorder.js", headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/recorder.js?v=0123456789abcdef").headers["cache-control"] == "public, no-cache"
