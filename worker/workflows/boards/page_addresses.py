"""Where the voice for a page of a board begins: an address of the recording, with the second."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from worker.canvases.snapshots.page_moments import page_moments
from worker.canvases.snapshots.rows import has_document
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.board_orders import SnapshotSession
from worker.media.probing.recorded_time import RecordedStretch
from worker.recordings.films.timed_recordings import TimedRecording, timed_recordings
from worker.settings import Settings


def page_addresses(session: Session, session_id: int, settings: Settings) -> dict[int, str]:
    """The addresses for the pages of a board, by page id; empty without RECORDING_URL, or with BOARD_CODES off."""
    if settings.recording_url is None or not settings.board_codes:
        return {}
    recordings = timed_recordings(session, session_id)
    addresses = {}
    for page_id, moments in page_moments(session, session_id).items():
        place = first_place(recordings, moments)
        if place is not None:
            addresses[page_id] = address_of(settings.recording_url, *place)
    return addresses


def first_place(recordings: Sequence[TimedRecording], moments: Iterable[datetime]) -> tuple[int, int] | None:
    """The recording and its second of the first of these moments that was recorded; None when none was."""
    for moment in moments:
        instant = round(moment.timestamp() * 1000)
        for recording in recordings:
            for stretch in recording.stretches:
                if stretch.begun <= instant < stretch.begun + stretch.length:
                    return recording.recording_id, _second(stretch, instant)
    return None


def _second(stretch: RecordedStretch, instant: int) -> int:
    return (stretch.at + instant - stretch.begun) // 1000


def address_of(template: str, recording_id: int, second: int) -> str:
    """The address of a recording's page at this second: players' pages read `t`."""
    address = template.replace("{recording_id}", str(recording_id))
    return f"{address}{'&' if '#' in address else '#'}t={second}"


def with_addresses(digest: str, addresses: Mapping[int, str]) -> str:
    """The digest of a document with these codes; without codes, that of its content."""
    if not addresses:
        return digest
    return hashlib.sha256(json.dumps([digest, sorted(addresses.items())]).encode()).hexdigest()


def renew_document(session: Session, session_id: int, settings: Settings, *, principal: str) -> None:
    """Order a board's document again if one of its recordings can now be played, because of the codes in it."""
    if settings.recording_url is not None and settings.board_codes and has_document(session, session_id):
        enqueue(session, SnapshotSession(session_id), principal=principal)
