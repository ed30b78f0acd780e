"""b2_authorize_account, whose response differs in each version of the API."""

import base64
import binascii

from devstack.emulator.access import Key, authenticate
from devstack.emulator.emulator import Emulator
from devstack.emulator.errors import B2Error, Json, bad_auth_token
from devstack.emulator.store.bucket_records import bucket_name

MINIMUM_PART_SIZE = 5_000_000
RECOMMENDED_PART_SIZE = 100_000_000


def authorize_account(
    emulator: Emulator, authorization: str | None, version: int, base_url: str, *, expired: bool = False
) -> Json:
    """A new account token and the URLs to use it with; with `expired` the token has expired already."""
    key = authenticate(emulator, *_basic_credentials(authorization))
    seconds = -1.0 if expired else emulator.account_seconds
    account: Json = {
        "accountId": emulator.account_id,
        "authorizationToken": emulator.tokens.seal("account", seconds, key=key.id),
    }
    urls: Json = {
        "absoluteMinimumPartSize": MINIMUM_PART_SIZE,
        "apiUrl": base_url,
        "downloadUrl": base_url,
        "recommendedPartSize": RECOMMENDED_PART_SIZE,
        "s3ApiUrl": base_url,
    }
    expires = None if key.expires_at is None else int(key.expires_at * 1000)
    if version >= 4:
        storage = {**urls, "infoType": "storageApi", "allowed": _allowed(emulator, key)}
        return {**account, "applicationKeyExpirationTimestamp": expires, "apiInfo": {"storageApi": storage}}
    allowed = _allowed_one_bucket(emulator, key)
    if version == 3:
        storage = {**urls, "infoType": "storageApi", **allowed}
        return {**account, "applicationKeyExpirationTimestamp": expires, "apiInfo": {"storageApi": storage}}
    if version == 1:
        urls["minimumPartSize"] = RECOMMENDED_PART_SIZE
    return {**account, **urls, "allowed": allowed}


def _basic_credentials(authorization: str | None) -> tuple[str, str]:
    scheme, _, encoded = (authorization or "").partition(" ")
    try:
        key_id, separator, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise bad_auth_token("The Authorization header cannot be read") from None
    if scheme.lower() != "basic" or not separator:
        raise bad_auth_token("The Authorization header must hold an applicationKeyId and an applicationKey")
    return key_id, secret


def _allowed(emulator: Emulator, key: Key) -> Json:
    buckets = None
    if key.bucket_ids is not None:
        buckets = [{"id": bucket_id, "name": bucket_name(emulator, bucket_id)} for bucket_id in key.bucket_ids]
    return {"buckets": buckets, "capabilities": list(key.capabilities), "namePrefix": key.name_prefix}


def _allowed_one_bucket(emulator: Emulator, key: Key) -> Json:
    """Before version 4 a key was for one bucket or for all."""
    if key.bucket_ids is not None and len(key.bucket_ids) > 1:
        raise B2Error(401, "unsupported", "A key for several buckets needs version 4 of the API")
    bucket_id = key.bucket_ids[0] if key.bucket_ids else None
    return {
        "bucketId": bucket_id,
        "bucketName": bucket_name(emulator, bucket_id) if bucket_id else None,
        "capabilities": list(key.capabilities),
        "namePrefix": key.name_prefix,
    }
