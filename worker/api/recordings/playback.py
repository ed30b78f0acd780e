"""The document of a playback, and the addresses of the WebVTT files in it."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from models.recordings import Rendition
from worker import clock
from worker.access.callers import Caller
from worker.access.tickets import player_ticket
from worker.api.http.addresses import public_address
from worker.api.recordings.recording_documents import (
    CaptionsVtt,
    Playback,
    PosterDocument,
    PosterSizeDocument,
    RenditionDocument,
    VttDocument,
)
from worker.api.services import Services
from worker.errors import NotFound
from worker.media.captions.write_webvtt import write_webvtt
from worker.recordings.outputs.pictures import ACTIVITY, POSTERS, PREVIEW, STORYBOARD, sheets_of, storyboard_cues
from worker.recordings.outputs.playback import PlaybackPlan
from worker.settings import Settings
from worker.storage.signed_addresses import SignedAddresses
from worker.workflows.recordings.read_playback import PlannedPlayback

# Maps the relative name of a recording's file, like `chapters.vtt`, to its address.
AddressOfFile = Callable[[str], str]


def playback_document(
    services: Services, planned: PlannedPlayback, expires_at: datetime, address_of: AddressOfFile
) -> Playback:
    """The playback, with addresses that are valid until `expires_at`."""
    files = planned.files
    addresses = addresses_until(services, expires_at)

    def signed(row: Rendition | None) -> str | None:
        if row is None or row.state != "ready" or row.object_name is None:
            return None
        return addresses.of(row.object_name)

    def address(row: Rendition) -> str | None:
        # HLS has no object: the API writes its playlists.
        return address_of("hls/master.m3u8") if row.name == "hls" and row.state == "ready" else signed(row)

    poster_url = signed(files.poster)
    named = {row.name: row for row in files.pictures}
    return Playback(
        renditions=[_rendition(row, address(row)) for row in files.renditions],
        poster=PosterDocument(url=poster_url) if poster_url else None,
        storyboard=VttDocument(vtt_url=address_of("storyboard.vtt")) if STORYBOARD in named else None,
        chapters=VttDocument(vtt_url=address_of("chapters.vtt")) if planned.has_chapters else None,
        captions=[
            CaptionsVtt(language=language, vtt_url=address_of(f"captions.{language}.vtt"))
            for language in planned.languages
        ],
        posters=[_poster(row, signed(row) or "") for row in files.pictures if row.name.startswith(POSTERS)],
        preview_url=signed(named.get(PREVIEW)),
        activity_url=signed(named.get(ACTIVITY)),
        expires_at=expires_at,
    )


def addresses_until(services: Services, expires_at: datetime) -> SignedAddresses:
    """Addresses of objects that open until `expires_at`."""
    return SignedAddresses(services.context.store, max(1, int((expires_at - clock.now()).total_seconds())))


def ticketed(request: Request, settings: Settings, caller: Caller, expires_at: datetime) -> AddressOfFile:
    """Addresses next to the requested one (`…/playback`) with a ticket of the caller, since players send no headers."""
    folder = request.url.path.rpartition("/")[0]

    def address(name: str) -> str:
        path = f"{folder}/{name}"
        ticket = player_ticket(settings.signing_key, caller, path, expires_at)
        return public_address(request, settings, f"{path}?{urlencode({'ticket': ticket})}")

    return address


def storyboard_response(services: Services, files: PlaybackPlan, duration_ms: int, expires_at: datetime) -> Response:
    """The storyboard as WebVTT, with addresses of its sheets that open until `expires_at`.

    Raises NotFound where there is none.
    """
    sheets = sheets_of(files.pictures)
    if not sheets:
        raise NotFound("This recording has no storyboard.")
    addresses = addresses_until(services, expires_at)
    signed = [(addresses.of(row.object_name or ""), row.tiles or {}) for row in sheets]
    content = write_webvtt(storyboard_cues(signed, duration_ms))
    return Response(content, media_type="text/vtt", headers={"Cache-Control": "no-store"})


def _poster(row: Rendition, url: str) -> PosterSizeDocument:
    return PosterSizeDocument(
        url=url, mime=row.mime or "", width=row.width or 0, height=row.height or 0, bytes=row.bytes or 0
    )


def _rendition(row: Rendition, url: str | None) -> RenditionDocument:
    shown = RenditionDocument.model_fields.keys() - {"url"}
    return RenditionDocument(url=url, **{name: getattr(row, name) for name in shown})
