"""Everybody of a whiteboard session hears that its recording can be watched."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.recordings import Recording
from models.schedules import Schedule
from models.whiteboards import WhiteboardSession
from worker.reminders.messages import tell
from worker.reminders.people import people_of_session


def tell_of_recording(session: Session, recording: Recording, *, page: str | None, now: datetime) -> None:
    """Tell them once, however often the recording is made playable; `page` is the setting RECORDING_URL."""
    zones = select(Schedule.timezone).join(WhiteboardSession, WhiteboardSession.schedule_id == Schedule.id)
    data = {
        "recording_id": recording.id,
        "session_id": recording.session_id,
        "title": recording.recording_title,
        "recorded_at": recording.recording_date.isoformat(),
        "timezone": session.scalar(zones.where(WhiteboardSession.id == recording.session_id)),
        "link": page and page.replace("{recording_id}", str(recording.id)),
    }
    tell(
        session,
        "recording-ready",
        user_ids=people_of_session(session, recording.session_id),
        data=data,
        key=f"recording-ready:{recording.id}",
        now=now,
    )
