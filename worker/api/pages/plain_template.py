"""The template of the pages without script, and the response with such a page."""

import gzip
from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from worker.api.http.conditional import accepts_gzip
from worker.api.pages.page_assets import version

_POLICY = (
    "default-src 'none'; style-src 'self'; media-src {bucket}; img-src {bucket}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# The other language of a page, and its name.
_TRANSLATED = {"en": ("am", "አማርኛ"), "am": ("en", "English")}


def plain_response(request: Request, values: Mapping[str, Any], *, bucket: str, status: int = 200) -> Response:
    """The page with these values and a link to its translation, compressed for a browser that accepts it."""
    other, name = _TRANSLATED[values["language"]]
    query = request.url.include_query_params(language=other).query
    template = _templates().get_template("plain.html.j2")
    page = template.render(version=version(), translated={"language": other, "name": name, "query": query}, **values)
    headers = {
        "Content-Security-Policy": _POLICY.format(bucket=bucket),
        "Cache-Control": "private, no-store",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Encoding",
    }
    if not accepts_gzip(request.headers.get("accept-encoding", "")):
        return HTMLResponse(page, status, headers)
    return HTMLResponse(gzip.compress(page.encode(), mtime=0), status, headers | {"Content-Encoding": "gzip"})


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("worker.api", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
