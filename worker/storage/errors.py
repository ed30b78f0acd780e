"""Translate errors of Backblaze B2: the class says whether a retry can help."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from b2sdk.v3 import exception as b2
from b2sdk.v3.exception import (
    AlreadyFailed,
    B2Error,
    BadDateFormat,
    BadRequest,
    CapExceeded,
    ClockSkew,
    FileNotPresent,
    FileSha1Mismatch,
    InvalidJsonResponse,
    MaxRetriesExceeded,
    NonExistentBucket,
    NotAllowedByAppKeyError,
    PartSha1Mismatch,
    RestrictedBucket,
    ServiceError,
    Unauthorized,
    UnknownError,
    UnknownHost,
)

from worker.errors import AstegniError


class StorageUnavailable(AstegniError):
    """Backblaze does not respond, or asks to retry later."""

    code, title, status, retryable = "storage-unavailable", "Storage unavailable", 503, True


class StorageRefused(AstegniError):
    """Backblaze refuses, and would do so again: a wrong key, a missing capability, another account's bucket."""

    code, title, status = "storage-refused", "Storage refused", 502


class StorageFull(AstegniError):
    """A cap of the account is reached. Only an operator can raise it, so a retry cannot help."""

    code, title, status = "storage-full", "Storage cap reached", 507


class ObjectMissing(AstegniError):
    """There is no such object."""

    code, title, status = "object-missing", "Object missing", 404


class ChecksumMismatch(AstegniError):
    """The bytes at Backblaze, or received from there, are not the expected ones.

    Retryable: the wrong bytes were deleted (the version at Backblaze, or the incomplete file here), the source is
    intact, and the same transfer can succeed next time.
    """

    code, title, status, retryable = "checksum-mismatch", "Checksum mismatch", 502, True


class FileChanged(AstegniError):
    """The local file does not match its SHA-1, or no longer does: sending it again cannot help."""

    code, title, status = "file-changed", "File changed", 409


class UploadStopped(AstegniError):
    """`should_stop` returned True. Parts already sent stay at Backblaze, and a later upload resumes from them."""

    code, title, status = "upload-stopped", "Upload stopped", 409


# Transient, although b2sdk's own retry loop does not treat their classes so.
_PASSING = (AlreadyFailed, BadDateFormat, InvalidJsonResponse, UnknownError, UnknownHost)
# Their messages say what an operator must fix, and hold nothing secret. Others are not quoted: that of
# UploadTokenUsedConcurrently contains the token.
_QUOTABLE = (
    BadRequest,
    ClockSkew,
    NonExistentBucket,
    NotAllowedByAppKeyError,
    RestrictedBucket,
    ServiceError,
    Unauthorized,
)


@contextmanager
def translate_errors(doing: str) -> Iterator[None]:
    """Convert exceptions of b2sdk and requests to our errors; `doing` begins the message ("upload of x")."""
    try:
        yield
    except (requests.RequestException, json.JSONDecodeError, UnicodeDecodeError) as error:
        # JSONDecodeError and UnicodeDecodeError: a 200 that is not JSON comes from a proxy on the way, not from
        # Backblaze.
        raise StorageUnavailable(f"{doing}: {type(error).__name__}") from error
    except B2Error as error:
        raise _verdict(error)(f"{doing}: {_describe(error)}") from error


def _verdict(error: B2Error) -> type[AstegniError]:
    if isinstance(error, MaxRetriesExceeded):
        return _verdict(error.exception_info_list[-1])
    # b2sdk has already retried with a fresh upload token when the error arrives here.
    if isinstance(error, Unauthorized):
        return StorageRefused
    if isinstance(error, CapExceeded) or _is_unnamed_cap(error):
        return StorageFull
    if isinstance(error, FileSha1Mismatch | PartSha1Mismatch | b2.ChecksumMismatch) or _is_sha1_refusal(error):
        return ChecksumMismatch
    if isinstance(error, FileNotPresent):
        return ObjectMissing
    if (
        isinstance(error, _PASSING)
        or _is_cancelled_upload(error)
        or error.should_retry_http()
        or error.should_retry_upload()
    ):
        return StorageUnavailable
    return StorageRefused


def _is_unnamed_cap(error: B2Error) -> bool:
    """B2 responds with 403 only when a cap is reached. b2sdk names two caps; a response to HEAD names none."""
    return isinstance(error, UnknownError) and str(error).startswith("Unknown error: 403 ")


def _is_cancelled_upload(error: B2Error) -> bool:
    """An unfinished upload that was continued after a day or two: the sweep, or a lifecycle rule, has cancelled it.

    The next attempt begins a new one.
    """
    return isinstance(error, BadRequest) and "no active upload for" in str(error).lower()


def _is_sha1_refusal(error: B2Error) -> bool:
    """An upload corrupted in transit is rejected only by a sentence: "Sha1 did not match data received"."""
    return isinstance(error, BadRequest) and "sha1 did not match" in str(error).lower()


def _describe(error: B2Error) -> str:
    if isinstance(error, MaxRetriesExceeded):
        return f"{error.limit} tries failed, the last with {_describe(error.exception_info_list[-1])}"
    name = type(error).__name__
    return f"{name} ({error})" if isinstance(error, _QUOTABLE) else name
