"""Films that were made from other recordings, and which of them a newer film replaces."""

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.recordings import Recording, Rendition

# The `origin` of a film ordered by the ingest of a voice, and of a lesson that combines several recordings.
VOICE_FILM, COMBINED = "voice-film", "combined"

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:origin || ' ' || :session_id, 0))")


def is_film(session: Session, recording: Recording) -> bool:
    """Whether this project made the recording, from a board or from other recordings, so that it has no clock times."""
    if (recording.recording_metadata or {}).get("origin") is not None:
        return True
    replay = select(Rendition.id).where(Rendition.recording_id == recording.id, Rendition.name == "replay")
    return session.scalar(replay) is not None


def lock_films(session: Session, session_id: int, origin: str) -> None:
    """Lock the film of this session and origin until the transaction ends: nobody else can replace it."""
    session.execute(_LOCK, {"origin": origin, "session_id": str(session_id)})


def find_film(session: Session, session_id: int, origin: str, *, but_not: str) -> int | None:
    """The newest film of this session and origin whose bytes do not have the SHA-1 `but_not`."""
    return session.scalar(
        select(Recording.id)
        .where(
            Recording.session_id == session_id,
            Recording.recording_metadata["origin"].astext == origin,
            Recording.source_sha1 != but_not,
        )
        .order_by(Recording.id.desc())
        .limit(1)
    )
