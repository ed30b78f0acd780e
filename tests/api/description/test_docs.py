"""`/docs`: everything of the OpenAPI document on one page that runs no script and loads nothing from elsewhere."""

import html
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

# Elements that have no end.
VOID = {"meta", "link"}


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.names: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        values = dict(attrs)
        assert not any(name.startswith("on") or name == "style" for name in values)
        self.ids |= {str(values["id"])} if "id" in values else set()
        self.links += [str(values[name]) for name in ("href", "src") if name in values]
        self.open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def page(client: TestClient) -> str:
    response = client.get("/docs")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return str(response.text)


def test_the_index_leads_there(client: TestClient) -> None:
    assert 'href="docs"' in client.get("/").text


def test_everything_is_on_the_page(page: str, api: FastAPI) -> None:
    described: dict[str, Any] = api.openapi()
    shown = html.unescape(re.sub(r"</?code>", "`", page))
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert f'id="{operation["operationId"]}"' in page, (method, path)
            for parameter in operation.get("parameters", []):
                assert parameter["description"] in shown, parameter["name"]
    for name, schema in described["components"]["schemas"].items():
        assert f'id="schema-{name}"' in page
        for key, inner in schema.get("properties", {}).items():
            assert inner["description"] in shown, (name, key)
    assert "formatting" in page


def test_it_is_sound_and_loads_nothing_from_elsewhere(page: str, client: TestClient) -> None:
    read = _Page()
    read.feed(page)
    assert read.open == []
    assert read.names.isdisjoint({"script", "iframe", "img", "form", "object"})
    for link in read.links:
        if link.startswith("#"):
            assert link[1:] in read.ids, link
        else:
            assert client.get(f"/{link}").status_code == 200, link
    assert len(read.links) > 100


def test_its_headers_are_strict(client: TestClient) -> None:
    headers = client.get("/docs").headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert client.get("/docs.css").headers["content-type"] == "text/css; charset=utf-8"
