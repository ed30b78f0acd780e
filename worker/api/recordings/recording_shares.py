"""Addresses of a recording that need no token: `/v1/recordings/{id}/share`. shared_recordings.py serves them."""

from datetime import datetime, timedelta

from fastapi import APIRouter, Request

from worker import clock
from worker.access.callers import UserCaller
from worker.api.http.addresses import public_address
from worker.api.http.callers import CallerOf
from worker.api.http.fields import RowId
from worker.api.http.paging import Page
from worker.api.http.problems import responses
from worker.api.recordings.recording_changes import changeable_recording, changing_recording
from worker.api.recordings.share_documents import NewShareDocument, ShareBody, ShareDocument
from worker.api.services import ServicesOf
from worker.errors import InvalidInput
from worker.recordings.reading import duration_ms
from worker.recordings.shares import NewShare, create_share, revoke_shares, shares_of

router = APIRouter(prefix="/v1/recordings", tags=["recordings"], responses=responses(401, 403, 404, 422, 503))

# A share that lasts longer would be a publication.
LONGEST = timedelta(days=366)
_PAGE = "/watch/shared/{secret}"


@router.post("/{recording_id}/share", status_code=201, responses=responses(409), summary="Share a recording")
def post_share(
    recording_id: RowId, request: Request, caller: CallerOf, services: ServicesOf, body: ShareBody | None = None
) -> NewShareDocument:
    """Create an address that plays the recording without a token (as its tutor or an operator).

    It opens until `expires_at`, a year ahead at most, and plays from `from` to `to`, in seconds. `Idempotency-Key` has
    no effect: no secret is kept.
    """
    options, now = body or ShareBody(), clock.now()
    settings = services.settings
    new = NewShare(
        expires_at=_checked(options.expires_at, now) or now + timedelta(days=settings.share_days),
        created_by=caller.user_id if isinstance(caller, UserCaller) else None,
        from_seconds=options.from_seconds,
        to_seconds=options.to_seconds,
    )
    with changing_recording(services, caller, recording_id) as (session, recording):
        length = duration_ms(recording)
        if length is not None and (new.from_seconds or 0) * 1000 >= length:
            raise InvalidInput(f"The recording is {length / 1000:g} seconds long; `from` is behind its end.")
        share, secret = create_share(session, recording_id, new, most=settings.limit_shares_of_recording)
        document = ShareDocument.model_validate(share)
    url = public_address(request, settings, _PAGE.format(secret=secret))
    return NewShareDocument(**document.model_dump(), url=url)


@router.get("/{recording_id}/share", summary="List the addresses of a recording")
def get_shares(recording_id: RowId, caller: CallerOf, services: ServicesOf) -> Page[ShareDocument]:
    """The addresses that were made, newest first, and how often each was opened (for its tutor or an operator)."""
    with services.database.transaction() as session:
        changeable_recording(session, caller, recording_id)
        items = [ShareDocument.model_validate(share) for share in shares_of(session, recording_id)]
    return Page(items=items, next=None)


@router.delete("/{recording_id}/share", status_code=204, summary="Revoke all addresses of a recording")
def delete_shares(recording_id: RowId, caller: CallerOf, services: ServicesOf) -> None:
    """Revoke all addresses (as its tutor or an operator); they stop opening at once. Idempotent."""
    with changing_recording(services, caller, recording_id) as (session, _recording):
        revoke_shares(session, recording_id)


@router.delete("/{recording_id}/share/{share_id}", status_code=204, summary="Revoke an address of a recording")
def delete_share(recording_id: RowId, share_id: RowId, caller: CallerOf, services: ServicesOf) -> None:
    """Revoke one address (as its tutor or an operator); it stops opening at once."""
    with changing_recording(services, caller, recording_id) as (session, _recording):
        revoke_shares(session, recording_id, share_id)


def _checked(expires_at: datetime | None, now: datetime) -> datetime | None:
    if expires_at is not None and not now < expires_at <= now + LONGEST:
        raise InvalidInput(f"`expires_at` must be in the future, at most {LONGEST.days} days ahead.")
    return expires_at
