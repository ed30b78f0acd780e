"""Parse the headers of tus 1.0. Pure functions.

https://tus.io/protocols/resumable-upload, version 1.0.0.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from starlette.datastructures import Headers

from worker.api.http.fields import Body
from worker.errors import AstegniError, InvalidInput

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination"
CHECKSUM_ALGORITHMS = "sha1,sha256"
CONTENT_TYPE = "application/offset+octet-stream"

_DIGESTS = {"sha1": 20, "sha256": 32}
_WHOLE = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)
_MOST_METADATA = 8192
_MOST_MARKS = 4096
# Milliseconds; far more than the longest recording that is accepted.
_LONGEST = 30 * 86_400_000


class UnsupportedVersion(AstegniError):
    """The client speaks another version of the protocol."""

    code, title, status = "unsupported-tus-version", "Unsupported version of tus", 412


class UnsupportedMediaType(AstegniError):
    """The media type of the body, or of the file, is not accepted."""

    code, title, status = "unsupported-media-type", "Unsupported Media Type", 415


class PieceMismatch(AstegniError):
    """The bytes that arrived are not those that were sent; none of them was stored."""

    code, title, status, retryable = "checksum-mismatch", "Checksum mismatch", 460, True


class Mark(Body):
    """A time in which the recorder recorded nothing; milliseconds of its clock since `started_at`."""

    kind: Literal["pause", "gap", "sleep"]
    from_ms: Annotated[int, Field(ge=0, le=_LONGEST)]
    to_ms: Annotated[int, Field(ge=0, le=_LONGEST)]


_MARKS = TypeAdapter(Annotated[list[Mark], Field(max_length=200)])


@dataclass(frozen=True)
class Checksum:
    """The digest that a client states of the body of a request."""

    algorithm: str
    digest: bytes

    def require(self, computed: "hashlib._Hash") -> None:
        """Raise PieceMismatch unless the body has this digest."""
        if computed.digest() != self.digest:
            raise PieceMismatch(f"The body has another {self.algorithm} than Upload-Checksum. Send it again.")

    def new(self) -> "hashlib._Hash":
        """A new hash object of its algorithm."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def require_version(headers: Headers) -> None:
    """Raise UnsupportedVersion unless `Tus-Resumable` is ours."""
    if headers.get("tus-resumable") != VERSION:
        raise UnsupportedVersion(f"Send `Tus-Resumable: {VERSION}`.")


def whole_number(headers: Headers, name: str) -> int | None:
    """The number in a header; None without the header. Raises InvalidInput."""
    value = headers.get(name)
    if value is None:
        return None
    if not _WHOLE.fullmatch(value):
        raise InvalidInput(f"{name} must be a whole number of bytes.")
    return int(value)


def upload_length(headers: Headers) -> int | None:
    """The length of a new upload; None when it is deferred. Raises InvalidInput."""
    length, deferred = whole_number(headers, "Upload-Length"), headers.get("upload-defer-length")
    if (length is None) is (deferred is None) or deferred not in (None, "1"):
        raise InvalidInput("Send either Upload-Length or `Upload-Defer-Length: 1`.")
    if length == 0:
        raise InvalidInput("The file is empty.")
    return length


def read_metadata(headers: Headers) -> dict[str, str]:
    """`Upload-Metadata`: pairs of a key and a Base64 value, separated by commas. Raises InvalidInput."""
    value = headers.get("upload-metadata", "")
    if len(value) > _MOST_METADATA:
        raise InvalidInput(f"Upload-Metadata is longer than {_MOST_METADATA} bytes.")
    metadata: dict[str, str] = {}
    for pair in value.split(",") if value else ():
        key, _, encoded = pair.strip().partition(" ")
        if not key or key in metadata:
            raise InvalidInput("Upload-Metadata has a key that is empty or repeated.")
        metadata[key] = _decoded(key, encoded)
    return metadata


def read_checksum(headers: Headers) -> Checksum | None:
    """`Upload-Checksum`: the algorithm and the digest in Base64. Raises InvalidInput."""
    value = headers.get("upload-checksum")
    if value is None:
        return None
    algorithm, _, encoded = value.strip().partition(" ")
    if algorithm not in _DIGESTS:
        raise InvalidInput(f"Upload-Checksum must use one of {CHECKSUM_ALGORITHMS}.")
    try:
        digest = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise InvalidInput("The digest in Upload-Checksum is not Base64.") from error
    if len(digest) != _DIGESTS[algorithm]:
        raise InvalidInput(f"The digest in Upload-Checksum is not one of {algorithm}.")
    return Checksum(algorithm, digest)


def read_marks(headers: Headers) -> list[dict[str, Any]]:
    """`Upload-Marks`: pauses and gaps of the recorder as JSON. Raises InvalidInput."""
    value = headers.get("upload-marks")
    if value is None:
        return []
    if len(value) > _MOST_MARKS:
        raise InvalidInput(f"Upload-Marks is longer than {_MOST_MARKS} bytes.")
    try:
        marks = _MARKS.validate_python(json.loads(value), strict=True)
    except (ValueError, RecursionError, ValidationError) as error:
        raise InvalidInput(
            'Upload-Marks must be JSON like [{"kind":"pause","from_ms":1000,"to_ms":5000}], with the kinds pause, gap '
            "and sleep."
        ) from error
    if any(mark.to_ms < mark.from_ms for mark in marks):
        raise InvalidInput("A mark in Upload-Marks ends before it begins.")
    return [mark.model_dump() for mark in marks]


def protocol_headers(most: int) -> Mapping[str, str]:
    """The headers by which OPTIONS describes this server; `most` is the largest upload in bytes."""
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(most),
        "Tus-Checksum-Algorithm": CHECKSUM_ALGORITHMS,
    }


def _decoded(key: str, encoded: str) -> str:
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidInput(f"The value of {key[:40]!r} in Upload-Metadata is not Base64 of UTF-8.") from error
