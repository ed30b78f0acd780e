"""Which web pages may read a download: the bucket's CORS rules, applied as Backblaze documents them."""

import re
from collections.abc import Sequence

from starlette.datastructures import Headers

from devstack.emulator.errors import Json


def download_headers(rules: Sequence[Json], operation: str, request: Headers) -> dict[str, str]:
    """The headers that let the page at `Origin` read the response; none when no rule matches."""
    origin = request.get("origin")
    rule = _find_rule(rules, operation, origin, [])
    if origin is None or rule is None:
        return {}
    headers = {"Access-Control-Allow-Origin": _told_origin(rule, origin), "Vary": "Origin"}
    if rule["exposeHeaders"]:
        headers["Access-Control-Expose-Headers"] = ", ".join(rule["exposeHeaders"])
    return headers


def preflight_headers(rules: Sequence[Json], operation: str, request: Headers) -> dict[str, str] | None:
    """The response headers to a preflight request; None when no rule matches."""
    origin, method = request.get("origin"), request.get("access-control-request-method", "").upper()
    header_names = _split(request.get("access-control-request-headers", ""))
    rule = _find_rule(rules, operation, origin, header_names)
    if origin is None or rule is None or method not in ("GET", "HEAD", "POST"):
        return None
    headers = {
        "Access-Control-Allow-Origin": _told_origin(rule, origin),
        "Access-Control-Allow-Methods": method,
        "Access-Control-Max-Age": str(rule["maxAgeSeconds"]),
        "Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    }
    if header_names:
        headers["Access-Control-Allow-Headers"] = ", ".join(header_names)
    if rule["exposeHeaders"]:
        headers["Access-Control-Expose-Headers"] = ", ".join(rule["exposeHeaders"])
    return headers


def _find_rule(rules: Sequence[Json], operation: str, origin: str | None, wanted_headers: Sequence[str]) -> Json | None:
    """The first rule that allows all of the request; order matters."""
    if origin is None:
        return None
    for rule in rules:
        if (
            operation in rule["allowedOperations"]
            and any(_origin_fits(pattern, origin) for pattern in rule["allowedOrigins"])
            and all(any(_fits(pattern, name) for pattern in rule["allowedHeaders"]) for name in wanted_headers)
        ):
            return rule
    return None


def _origin_fits(pattern: str, origin: str) -> bool:
    """Whether the origin matches; `https` alone means every origin with that scheme."""
    if pattern in ("http", "https"):
        return origin.lower().startswith(f"{pattern}://")
    return _fits(pattern, origin)


def _fits(pattern: str, value: str) -> bool:
    """Whether `value` matches a pattern in which `*` stands for any text, regardless of case."""
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), value, re.IGNORECASE) is not None


def _told_origin(rule: Json, origin: str) -> str:
    return "*" if "*" in rule["allowedOrigins"] else origin


def _split(header: str) -> list[str]:
    return [name.strip().lower() for name in header.split(",") if name.strip()]
