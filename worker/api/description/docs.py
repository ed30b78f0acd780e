"""`/docs`: the OpenAPI document as one HTML page, which runs no script and loads nothing from other hosts."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import Response

from worker.api.http.static_files import StaticFile
from worker.api.pages.page_assets import REVALIDATED, version

router = APIRouter(include_in_schema=False)

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": REVALIDATED,
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
}
_DEEPEST = 6


@router.get("/docs")
def get_docs(request: Request) -> Response:
    """The page, rendered once for each application."""
    state = request.app.state
    if not hasattr(state, "docs"):
        state.docs = StaticFile(_page(request.app.openapi()).encode(), _HEADERS)
    page: StaticFile = state.docs
    return page.response(request)


@cache
def _templates() -> Environment:
    environment = Environment(loader=PackageLoader("worker.api", "pages"), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"code": _with_code, "json": _as_json}
    return environment


def _page(description: Mapping[str, Any]) -> str:
    return (
        _templates()
        .get_template("docs.html.j2")
        .render(version=version(), info=description["info"], tags=_by_tag(description), schemas=_schemas(description))
    )


def _by_tag(description: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    tags: dict[str, list[dict[str, Any]]] = {}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            shown = {"method": method.upper(), "path": path, "body": _body(operation), **operation}
            tags.setdefault(operation["tags"][0], []).append(shown)
    return tags


def _body(operation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The media types of the request body, each with the schema's name and fields."""
    content = operation.get("requestBody", {}).get("content", {})
    return [
        {"media_type": kind, "name": _type(media["schema"]), "fields": list(_fields(media["schema"]))}
        for kind, media in content.items()
    ]


def _schemas(description: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "description": schema.get("description", ""), "fields": list(_fields(schema))}
        for name, schema in sorted(description["components"]["schemas"].items())
    ]


def _fields(schema: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[dict[str, Any]]:
    needed = schema.get("required", [])
    for name, inner in schema.get("properties", {}).items():
        yield {
            "name": f"{prefix}{name}",
            "type": _type(inner),
            "required": name in needed,
            "description": inner.get("description", ""),
            "example": inner.get("examples", [None])[0],
        }
        if depth < _DEEPEST:
            yield from _fields(inner, f"{prefix}{name}.", depth + 1)


def _type(schema: Mapping[str, Any]) -> str:
    """A type in words: `integer or null`, `list of BookingDocument`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(option) for option in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return ", ".join(map(str, schema.get("enum", [schema.get("const")])))
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format", " or ".join(kind) if isinstance(kind, list) else kind))


def _with_code(text: str) -> Markup:
    """HTML in which words in backticks are code."""
    parts = str(text).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part) for index, part in enumerate(parts)
    )


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
