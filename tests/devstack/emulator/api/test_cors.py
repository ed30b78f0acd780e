"""Which web pages may read a download: rules of the bucket, as a browser meets them."""

from typing import Any

import pytest
import requests
from b2sdk.v3 import Bucket
from starlette.datastructures import Headers

from devstack.emulator.api.cors import download_headers, preflight_headers
from tests.waiting import TIMEOUT

BY_NAME = "b2_download_file_by_name"
RULE: dict[str, Any] = {
    "corsRuleName": "pages",
    "allowedOrigins": ["https://app.example.org"],
    "allowedOperations": [BY_NAME],
    "allowedHeaders": ["range", "x-bz-*"],
    "exposeHeaders": ["content-range", "x-bz-file-name"],
    "maxAgeSeconds": 600,
}


@pytest.fixture
def url(bucket: Bucket) -> str:
    bucket.upload_bytes(b"0123456789", "x")
    bucket.update(cors_rules=[RULE])
    address: str = bucket.get_download_url("x")
    return address


def test_a_page_reads_a_range(bucket: Bucket, url: str) -> None:
    origin = {"Origin": "https://app.example.org"}
    request_headers = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range, x-bz-info"}
    preflight = requests.options(url, headers={**origin, **request_headers}, timeout=TIMEOUT)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert preflight.headers["Access-Control-Allow-Headers"] == "range, x-bz-info"
    assert preflight.headers["Access-Control-Max-Age"] == "600"
    token = {"Authorization": bucket.get_download_authorization("", 60)}
    response = requests.get(url, params=token, headers={**origin, "Range": "bytes=2-3"}, timeout=TIMEOUT)
    assert response.content == b"23"
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert response.headers["Access-Control-Expose-Headers"] == "content-range, x-bz-file-name"


def test_a_page_sees_that_it_is_refused(url: str) -> None:
    response = requests.get(url, headers={"Origin": "https://app.example.org"}, timeout=TIMEOUT)
    assert response.status_code == 401
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example.org"


def test_other_pages_and_other_ways_are_not_allowed(bucket: Bucket, url: str) -> None:
    request_headers = {"Access-Control-Request-Method": "GET"}
    outsider = {"Origin": "https://evil.example.org"}
    assert requests.options(url, headers={**outsider, **request_headers}, timeout=TIMEOUT).status_code == 403
    friend = {"Origin": "https://app.example.org", **request_headers, "Access-Control-Request-Headers": "authorization"}
    assert requests.options(url, headers=friend, timeout=TIMEOUT).status_code == 403
    by_id = bucket.api.get_download_url_for_fileid(bucket.get_file_info_by_name("x").id_)
    refused = requests.options(by_id, headers={"Origin": "https://app.example.org", **request_headers}, timeout=TIMEOUT)
    assert refused.status_code == 403
    token = {"Authorization": bucket.get_download_authorization("", 60)}
    response = requests.get(url, params=token, headers=outsider, timeout=TIMEOUT)
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(
    ("pattern", "origin", "fits"),
    [
        ("*", "http://anything", True),
        ("https", "https://any.where:8443", True),
        ("https", "http://any.where", False),
        ("https://*.example.org", "https://a.example.org", True),
        ("https://*.example.org", "https://example.org", False),
        ("https://*.example.org", "https://a.example.org.evil.com", False),
        ("http://localhost:*", "http://localhost:5173", True),
        ("https://a.b", "https://axb", False),
        ("https://A.example.org", "https://a.example.org", True),
    ],
)
def test_origins(pattern: str, origin: str, fits: bool) -> None:
    rules = [{**RULE, "allowedOrigins": [pattern]}]
    headers = download_headers(rules, BY_NAME, Headers({"origin": origin}))
    assert bool(headers) is fits
    if pattern == "*":
        assert headers["Access-Control-Allow-Origin"] == "*"


def test_the_first_rule_that_fits_counts() -> None:
    rules = [{**RULE, "maxAgeSeconds": 1}, {**RULE, "maxAgeSeconds": 2}]
    request_headers = {"origin": "https://app.example.org", "access-control-request-method": "GET"}
    headers = preflight_headers(rules, BY_NAME, Headers(request_headers))
    assert headers is not None
    assert headers["Access-Control-Max-Age"] == "1"
    assert (
        preflight_headers(rules, BY_NAME, Headers({**request_headers, "access-control-request-method": "PUT"})) is None
    )
    assert download_headers(rules, BY_NAME, Headers({})) == {}
