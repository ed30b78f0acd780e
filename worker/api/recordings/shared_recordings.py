"""A shared recording, opened by its secret instead of a token: `/v1/shared/{secret}`, and the files that it names."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from sqlalchemy import true
from sqlalchemy.orm import Session
from starlette.responses import Response

from models.recording_shares import RecordingShare
from models.recordings import Recording
from worker import clock
from worker.api.http.addresses import public_address
from worker.api.http.callers import AddressOf
from worker.api.http.problems import responses
from worker.api.recordings.hls import PLAYLIST, TrackName, find_track, master_response, track_response
from worker.api.recordings.playback import AddressOfFile, playback_document, storyboard_response
from worker.api.recordings.recording_search import matches_document
from worker.api.recordings.recording_text_documents import Language, MatchesDocument, SearchQuery
from worker.api.recordings.share_documents import SharedPlayback
from worker.api.recordings.webvtt_responses import VTT, cues_of_chapters, vtt_response
from worker.api.services import Services, ServicesOf
from worker.errors import NotFound
from worker.recordings.outputs.playback import PlaybackPlan, plan_playback
from worker.recordings.reading import duration_ms, find_recording
from worker.recordings.shares import count_opening, find_share
from worker.recordings.texts.captions import find_captions
from worker.workflows.recordings.read_playback import read_playback
from worker.workflows.recordings.search_recording import search_recording

router = APIRouter(prefix="/v1/shared", tags=["recordings"], responses=responses(404, 422, 429, 503))

Secret = Annotated[str, Path(description="The secret of the address. Whoever knows it watches the recording.")]


@dataclass(frozen=True)
class Sharing:
    """The services, the secret of the request, and the address of its client."""

    services: Services
    secret: str
    address: str

    @contextmanager
    def opened(self) -> Iterator[tuple[Session, RecordingShare, Recording]]:
        """A transaction with the share and its recording.

        Raises NotFound. Only unknown secrets are counted: known ones may come from many people behind one address.
        """
        with self.services.database.transaction() as session:
            try:
                share = find_share(session, self.secret, now=clock.now())
            except NotFound:
                self.services.counters.take(self.services.rates.unknown_shares, self.address)
                raise
            yield session, share, find_recording(session, share.recording_id, true())


def _sharing(secret: Secret, address: AddressOf, services: ServicesOf) -> Sharing:
    return Sharing(services, secret, address)


SharingOf = Annotated[Sharing, Depends(_sharing)]


@router.get("/{secret}", responses=responses(409), summary="Play a shared recording")
def get_shared(sharing: SharingOf, request: Request) -> SharedPlayback:
    """The `playback` of the recording, with the part that is shared. Needs no token; each opening is counted.

    The addresses are valid for the recording's duration and 15 minutes more, never beyond the end of the share.
    """
    with sharing.opened() as (session, share, recording):
        planned = read_playback(session, recording)
        count_opening(session, share)
        expires_at = _open_until(share, planned.files)
        shown: dict[str, Any] = {
            "recording_title": recording.recording_title,
            "recording_type": recording.recording_type,
            "duration_ms": duration_ms(recording),
            "from_seconds": share.from_seconds,
            "to_seconds": share.to_seconds,
        }
    playback = playback_document(
        sharing.services, planned, expires_at, _below(request, sharing.services, request.url.path)
    )
    return SharedPlayback(**(dict(playback) | shown))


@router.get("/{secret}/chapters.vtt", response_class=Response, responses=VTT, summary="Read chapters of a shared one")
def get_shared_chapters(sharing: SharingOf) -> Response:
    """The chapters of a shared recording as WebVTT."""
    with sharing.opened() as (session, _share, recording):
        return vtt_response(cues_of_chapters(session, recording))


@router.get(
    "/{secret}/captions.{language}.vtt",
    response_class=Response,
    responses=VTT,
    summary="Read captions of a shared recording",
)
def get_shared_captions(sharing: SharingOf, language: Language) -> Response:
    """The captions of a shared recording as WebVTT."""
    with sharing.opened() as (session, _share, recording):
        return vtt_response(find_captions(session, recording.id, language)[1])


@router.get(
    "/{secret}/storyboard.vtt",
    response_class=Response,
    responses=VTT | responses(409),
    summary="Read the storyboard of a shared recording",
)
def get_shared_storyboard(sharing: SharingOf) -> Response:
    """Small pictures along the time of a shared recording, as WebVTT."""
    with sharing.opened() as (session, share, recording):
        files, length = plan_playback(session, recording), duration_ms(recording)
        expires_at = _open_until(share, files)
    return storyboard_response(sharing.services, files, length or 0, expires_at)


@router.get("/{secret}/search", summary="Search in a shared recording")
def get_shared_search(sharing: SharingOf, q: SearchQuery) -> MatchesDocument:
    """Where captions, chapters and typed text of the board have all words of `q`."""
    with sharing.opened() as (session, _share, recording):
        return matches_document(search_recording(session, recording, q))


@router.get(
    "/{secret}/hls/master.m3u8",
    response_class=Response,
    responses=PLAYLIST,
    summary="Read the HLS playlist of a shared recording",
)
def get_shared_master(sharing: SharingOf, request: Request) -> Response:
    """The tracks of a shared recording for players of HLS."""
    with sharing.opened() as (session, _share, recording):
        return master_response(
            session, recording, _below(request, sharing.services, request.url.path.rpartition("/")[0])
        )


@router.get(
    "/{secret}/hls/{track}.m3u8",
    response_class=Response,
    responses=PLAYLIST | responses(409),
    summary="Read a track's playlist of a shared recording",
)
def get_shared_track(sharing: SharingOf, track: TrackName) -> Response:
    """The segments of one track of a shared recording."""
    with sharing.opened() as (session, share, recording):
        expires_at = _open_until(share, plan_playback(session, recording))
        row = find_track(session, recording, track)
    return track_response(sharing.services, row, expires_at)


def _open_until(share: RecordingShare, files: PlaybackPlan) -> datetime:
    """Until when addresses of these files may open: never beyond the end of the share."""
    return min(clock.now() + timedelta(seconds=files.seconds), share.expires_at)


def _below(request: Request, services: Services, folder: str) -> AddressOfFile:
    """Addresses of files in this folder; the secret in them grants access."""
    return lambda name: public_address(request, services.settings, f"{folder}/{name}")
