"""File versions and parts as JSON, in the shape of each version of the API."""

from dataclasses import dataclass

from devstack.emulator.access import Key
from devstack.emulator.errors import Json
from devstack.emulator.store.blobs import StoredPart
from devstack.emulator.store.versions import FileVersion


@dataclass(frozen=True)
class DocumentReader:
    """What a document depends on: the account, the key's capabilities, and the version of the API (1 to 4)."""

    account_id: str
    key: Key
    api_version: int


def version_as_json(version: FileVersion, reader: DocumentReader) -> Json:
    """A version as calls return it, without the lock fields that the key may not read, as at B2."""
    document: Json = {
        "accountId": reader.account_id,
        "action": version.action,
        "bucketId": version.bucket_id,
        "contentLength": version.size,
        "contentMd5": None,
        "contentSha1": version.content_sha1,
        "contentType": version.content_type,
        "fileId": version.id,
        "fileInfo": version.info,
        "fileName": version.name,
        "fileRetention": _readable(reader.key, "readFileRetentions", {"mode": None, "retainUntilTimestamp": None}),
        "legalHold": _readable(reader.key, "readFileLegalHolds", None),
        "replicationStatus": None,
        "serverSideEncryption": version.encryption or {"mode": None, "algorithm": None},
        "uploadTimestamp": version.uploaded_at,
    }
    if reader.api_version == 1:
        document["size"] = version.size
    return document


def part_as_json(version_id: str, part: StoredPart) -> Json:
    """A part as calls return it."""
    return {
        "fileId": version_id,
        "partNumber": part.number,
        "contentLength": part.size,
        "contentSha1": part.sha1,
        "contentMd5": None,
        "serverSideEncryption": {"mode": None, "algorithm": None},
        "uploadTimestamp": part.uploaded_at,
    }


def _readable(key: Key, capability: str, value: Json | None) -> Json:
    allowed = key.allows(capability)
    return {"isClientAuthorizedToRead": allowed, "value": value if allowed else None}
