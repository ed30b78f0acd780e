"""Responses of tus 1.0 that several requests share."""

from datetime import timedelta
from email.utils import format_datetime

from starlette.responses import Response

from worker import clock
from worker.api.services import Services


def expiry_headers(services: Services) -> dict[str, str]:
    """The header that says until when the bytes of an upload are kept."""
    expires_at = clock.now() + timedelta(seconds=services.settings.spool_retention)
    return {"Upload-Expires": format_datetime(expires_at, usegmt=True)}


def appended_response(services: Services, offset: int) -> Response:
    """The response to a piece that is on the disk; the next one begins at `offset`."""
    return Response(status_code=204, headers={"Upload-Offset": str(offset), **expiry_headers(services)})
