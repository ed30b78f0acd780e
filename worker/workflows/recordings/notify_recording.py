"""Notify the people of a whiteboard session that its recording can be watched, or that it failed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.access.session_people import people_of_session, teachers_of_session
from worker.reminders.planning.notify import notify

# Repairs that a viewer will notice, in the order in which they are mentioned.
_NOTICED = ("cut-off", "gap", "damaged", "part-lost", "picture-lost", "sound-lost", "pictures-dropped", "sound-dropped")

_ZONE = text(
    "SELECT timezone FROM boards board JOIN lessons ON lessons.id = board.schedule_id WHERE board.id = :session_id"
)


def notify_of_recording(session: Session, recording: Recording, *, page: str | None, now: datetime) -> None:
    """Notify everybody once, however often the recording is made playable; `page` is the setting RECORDING_URL."""
    repairs = {repair["kind"] for repair in (recording.recording_metadata or {}).get("repairs", [])}
    data = _about(session, recording) | {
        "link": page and page.replace("{recording_id}", str(recording.id)),
        "missing": [kind for kind in _NOTICED if kind in repairs],
    }
    notify(
        session,
        "recording-ready",
        user_ids=people_of_session(session, recording.session_id),
        data=data,
        key=f"recording-ready:{recording.id}",
        now=now,
    )


def notify_of_failure(session: Session, recording: Recording, error: Mapping[str, Any], *, now: datetime) -> None:
    """Notify its tutor and its uploader that it failed, why, and what to do; once for the same reason."""
    reason = str(error.get("reason") or error.get("code"))
    recorder = [recording.recorded_by] if recording.recorded_by is not None else []
    data = _about(session, recording) | {
        "reason_code": reason,
        "reason": error.get("detail"),
        "kept": recording.spool_name is not None,
    }
    notify(
        session,
        "recording-failed",
        user_ids=[*recorder, *teachers_of_session(session, recording.session_id)],
        data=data,
        key=f"recording-failed:{recording.id}:{reason}",
        now=now,
    )


def _about(session: Session, recording: Recording) -> dict[str, Any]:
    return {
        "recording_id": recording.id,
        "session_id": recording.session_id,
        "title": recording.recording_title,
        "recorded_at": recording.recording_date.isoformat(),
        "timezone": session.scalar(_ZONE, {"session_id": recording.session_id}),
    }
