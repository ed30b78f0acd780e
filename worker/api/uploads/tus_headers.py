"""Parse the headers of tus 1.0. Pure functions.

https://tus.io/protocols/resumable-upload, version 1.0.0.
"""

import base64
import re
from collections.abc import Mapping

from starlette.datastructures import Headers

from worker.api.uploads.upload_checksum import CHECKSUM_ALGORITHMS
from worker.errors import AstegniError, InvalidInput

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination"
CONTENT_TYPE = "application/offset+octet-stream"

_WHOLE = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)
_MAX_METADATA = 8192


class UnsupportedVersion(AstegniError):
    """The client speaks another version of the protocol."""

    code, title, status = "unsupported-tus-version", "Unsupported version of tus", 412


class UnsupportedMediaType(AstegniError):
    """The media type of the body, or of the file, is not accepted."""

    code, title, status = "unsupported-media-type", "Unsupported Media Type", 415


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
    if len(value) > _MAX_METADATA:
        raise InvalidInput(f"Upload-Metadata is longer than {_MAX_METADATA} bytes.")
    metadata: dict[str, str] = {}
    for pair in value.split(",") if value else ():
        key, _, encoded = pair.strip().partition(" ")
        if not key or key in metadata:
            raise InvalidInput("Upload-Metadata has a key that is empty or repeated.")
        metadata[key] = _decoded(key, encoded)
    return metadata


def write_metadata(values: Mapping[str, object]) -> str:
    """The value of `Upload-Metadata` for these values, without those that are None."""
    known = ((key, str(value).encode()) for key, value in values.items() if value is not None)
    return ",".join(f"{key} {base64.b64encode(value).decode()}" for key, value in known)


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
    except ValueError as error:
        raise InvalidInput(f"The value of {key[:40]!r} in Upload-Metadata is not Base64 of UTF-8.") from error
