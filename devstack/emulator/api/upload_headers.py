"""The headers of an upload, validated."""

from collections.abc import Mapping
from dataclasses import dataclass

from devstack.emulator.api.parameters import Parameters
from devstack.emulator.errors import B2Error, bad_request
from devstack.emulator.store.names import check_file_info, check_file_name, check_header_value, decode

MAX_PARTS = 10_000
_MAX_BYTES = 5_000_000_000
_INFO_PREFIX = "x-bz-info-"


@dataclass(frozen=True)
class FileHeaders:
    """The headers of b2_upload_file; `sha1` is the `expected_sha1` of receive_blob."""

    name: str
    content_type: str
    sha1: str
    info: dict[str, str]


@dataclass(frozen=True)
class PartHeaders:
    """The headers of b2_upload_part; `sha1` is the `expected_sha1` of receive_blob."""

    number: int
    sha1: str


def read_file_headers(headers: Mapping[str, str]) -> FileHeaders:
    """The headers of b2_upload_file, their names in lower case."""
    if any(name.startswith(("x-bz-file-retention", "x-bz-file-legal-hold")) for name in headers):
        raise bad_request("This emulator does not support file lock.")
    if "x-bz-custom-upload-timestamp" in headers:
        raise B2Error(400, "custom_timestamp_not_allowed", "Custom upload timestamps are not enabled.")
    info = {
        name.removeprefix(_INFO_PREFIX): decode(value)
        for name, value in headers.items()
        if name.startswith(_INFO_PREFIX)
    }
    return FileHeaders(
        name=check_file_name(decode(_header(headers, "X-Bz-File-Name"))),
        content_type=check_header_value("Content-Type", _header(headers, "Content-Type")),
        sha1=_checked_length_and_sha1(headers),
        info=check_file_info(info),
    )


def read_part_headers(headers: Mapping[str, str]) -> PartHeaders:
    """The headers of b2_upload_part, their names in lower case."""
    number = Parameters({"X-Bz-Part-Number": headers.get("x-bz-part-number")})
    return PartHeaders(number.integer("X-Bz-Part-Number", 1, MAX_PARTS), _checked_length_and_sha1(headers))


def _checked_length_and_sha1(headers: Mapping[str, str]) -> str:
    if int(_header(headers, "Content-Length")) > _MAX_BYTES:
        raise bad_request(f"An upload has at most {_MAX_BYTES} bytes")
    return _header(headers, "X-Bz-Content-Sha1").lower()


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name.lower())
    if value is None:
        raise bad_request(f"An upload needs the header {name}")
    return value
