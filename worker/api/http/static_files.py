"""Scripts, style sheets and pages that are the same for everybody: compressed once, revalidated by entity tag."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from fastapi import Request
from starlette.responses import Response

from worker.api.http.conditional import accepts_gzip, names


@dataclass(frozen=True)
class StaticFile:
    """The content of a file, and the headers of its 200 and 304, except ETag."""

    content: bytes
    headers: Mapping[str, str]

    @cached_property
    def compressed(self) -> bytes:
        """The content in gzip; without the time of compression, since equal tags must mean equal octets."""
        return gzip.compress(self.content, compresslevel=9, mtime=0)

    @cached_property
    def digest(self) -> str:
        """The beginning of its entity tags."""
        return hashlib.sha256(self.content).hexdigest()[:32]

    def response(self, request: Request) -> Response:
        """The content in a coding that the browser accepts; 304 for a browser that has it already."""
        is_compressed = accepts_gzip(request.headers.get("accept-encoding", ""))
        tag = f'"{self.digest}-gzip"' if is_compressed else f'"{self.digest}"'
        headers = {**self.headers, "ETag": tag, "Vary": "Accept-Encoding"}
        if names(", ".join(request.headers.getlist("if-none-match")), tag):
            return Response(status_code=304, headers=headers)
        if not is_compressed:
            return Response(self.content, headers=headers)
        return Response(self.compressed, headers=headers | {"Content-Encoding": "gzip"})
