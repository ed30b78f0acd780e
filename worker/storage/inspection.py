"""Check a key and a bucket before they affect a lesson: for `astegni doctor`. Nothing is changed."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests

from worker.errors import Misconfigured
from worker.settings import Settings
from worker.storage.account import Account
from worker.storage.errors import translate_errors

_NEEDED = ("listBuckets", "listFiles", "readFiles", "writeFiles", "deleteFiles", "shareFiles")
# Our folders in the bucket.
_FOLDERS = ("videos/whiteboard/", "snapshots/whiteboard/")
_READ_BY_SCRIPT = "b2_download_file_by_name"


def inspect_bucket(settings: Settings, *, http_session: Callable[[], requests.Session]) -> tuple[list[str], list[str]]:
    """Errors and warnings about the key and the bucket of BACKBLAZE_*, a sentence each.

    Raises StorageUnavailable and StorageRefused.
    """
    if settings.backblaze_key_id is None or settings.backblaze_application_key is None:
        raise Misconfigured("BACKBLAZE_KEY_ID and BACKBLAZE_APPLICATION_KEY are not both set.")
    account = Account(
        settings.backblaze_key_id,
        settings.backblaze_application_key.get_secret_value(),
        settings.backblaze_bucket_name,
        settings.backblaze_realm,
        http_session,
        time.sleep,
    )
    with translate_errors(f"look at bucket {settings.backblaze_bucket_name}"):
        capabilities = [name for name in _NEEDED if not account.may(name)]
        buckets = account.api().list_buckets(bucket_name=settings.backblaze_bucket_name)
    faults = missing_capabilities(capabilities)
    for bucket in buckets:
        faults += harmful_rules(bucket.lifecycle_rules or [])
    doubts = [doubt for bucket in buckets for doubt in missing_cors(bucket.cors_rules or [])]
    return faults, doubts


def missing_capabilities(missing: Sequence[str]) -> list[str]:
    """A sentence when the key lacks something."""
    if not missing:
        return []
    return [f"the key lacks {', '.join(missing)}: make one with all of {', '.join(_NEEDED)}"]


def harmful_rules(rules: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for each lifecycle rule that would hide lessons and boards by itself."""
    return [
        f"the lifecycle rule for {rule['fileNamePrefix']!r} hides files {rule['daysFromUploadingToHiding']} days after"
        " their upload, and lessons would end then: remove its daysFromUploadingToHiding"
        for rule in rules
        if rule.get("daysFromUploadingToHiding") is not None and _covers_ours(rule["fileNamePrefix"])
    ]


def missing_cors(rules: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence when no CORS rule lets a page's script read byte ranges of a file."""
    for rule in rules:
        headers = {header.lower() for header in rule.get("allowedHeaders") or ()}
        if _READ_BY_SCRIPT in rule.get("allowedOperations", ()) and headers & {"range", "*"}:
            return []
    return ["no CORS rule lets a page read lessons piece by piece: see docs/operations.md, The bucket and its key"]


def _covers_ours(prefix: str) -> bool:
    return any(folder.startswith(prefix) or prefix.startswith(folder) for folder in _FOLDERS)
