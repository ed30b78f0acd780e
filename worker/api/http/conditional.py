"""Conditional and compressed responses (RFC 9110 §8.8, §12.5.3, §13.1)."""

import gzip
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime

from starlette.datastructures import Headers
from starlette.responses import Response

_ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_TAG_LENGTH = 32


def conditional_response(
    request_headers: Headers, content: bytes, *, changed_at: datetime, headers: Mapping[str, str]
) -> Response:
    """200 with `content`, compressed if the client accepts gzip, or 304 if the client has it already.

    The entity tag is strong: a hash of the content, with another one for the compressed form (RFC 9110 §8.8.3.3).
    If-Modified-Since is ignored: removing an item from a list leaves no later date.
    """
    compressed = accepts_gzip(request_headers.get("accept-encoding", ""))
    digest = hashlib.sha256(content).hexdigest()[:_TAG_LENGTH]
    tag = f'"{digest}-gzip"' if compressed else f'"{digest}"'
    response_headers = {
        "ETag": tag,
        "Vary": "Accept-Encoding",
        "Last-Modified": format_datetime(changed_at, usegmt=True),
    }
    response_headers |= {name: value for name, value in headers.items() if name.lower() == "cache-control"}
    if names(", ".join(request_headers.getlist("if-none-match")), tag):
        return Response(status_code=304, headers=response_headers)
    if compressed:
        response_headers["Content-Encoding"] = "gzip"
        # Without the time of compression, since equal tags must mean equal octets.
        content = gzip.compress(content, mtime=0)
    # For HEAD the server omits the content and keeps its length.
    return Response(content, headers={**headers, **response_headers})


def names(if_none_match: str, tag: str) -> bool:
    """Whether the header's list contains the entity tag, by weak comparison (RFC 9110 §13.1.2)."""
    return if_none_match.strip() == "*" or tag in _ENTITY_TAG.findall(if_none_match)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether Accept-Encoding allows gzip, by name or by `*`, with a weight above zero."""
    weights = dict(_weighted(item) for item in accept_encoding.lower().split(","))
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def _weighted(coding: str) -> tuple[str, float]:
    name, _, weight = coding.partition(";")
    number = weight.strip().removeprefix("q=")
    try:
        return name.strip(), float(number) if weight else 1.0
    except ValueError:
        return name.strip(), 0.0
