"""Recordings imported from the platform. They have no file here, and their row says why they cannot be played."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from pydantic_core import to_json
from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.errors import problem

# For a new row, and for one that is still as imported.
_CREATE = text(
    """
    INSERT INTO whiteboard_session_recordings (session_id, recording_title, recording_type, duration_seconds,
                                               board_snapshot, recording_metadata, recording_date, created_at,
                                               recorded_by, error, is_processing, is_available)
    VALUES (:session_id, left(:title, 255), :type, :duration_seconds, CAST(:board AS jsonb),
            jsonb_strip_nulls(jsonb_build_object(
                'recorded_by', CAST(:recorded_by AS integer), 'platform_id', CAST(:platform_id AS integer),
                'platform_file_url', CAST(:file_url AS text))),
            coalesce(CAST(:recorded_at AS timestamptz), now()), coalesce(CAST(:created_at AS timestamptz), now()),
            (SELECT id FROM users WHERE id = :recorded_by), CAST(:error AS jsonb), false, false)
    RETURNING id
    """
)
_CHANGE = text(
    """
    UPDATE whiteboard_session_recordings
       SET recording_title = left(:title, 255), recording_type = :type, duration_seconds = :duration_seconds,
           board_snapshot = CAST(:board AS jsonb), error = CAST(:error AS jsonb), updated_at = now(),
           recording_date = coalesce(CAST(:recorded_at AS timestamptz), recording_date),
           created_at = coalesce(CAST(:created_at AS timestamptz), created_at)
     WHERE id = :id AND NOT is_available AND NOT is_processing
    """
)
_REMOVE = text(
    """
    DELETE FROM whiteboard_session_recordings recording
     WHERE id = ANY(:ids) AND NOT is_available AND NOT is_processing
       AND NOT EXISTS (SELECT FROM recording_renditions
                        WHERE recording_id = recording.id AND name NOT IN ('document', 'poster'))
    """
)


@dataclass(frozen=True)
class PlatformRecording:
    """A row of the platform; `id` is None when it is new here, `board` is its snapshot as JSON text."""

    id: int | None
    platform_id: int
    session_id: int
    title: str | None
    type: str
    duration_seconds: int | None
    board: str | None
    recorded_by: int | None
    file_url: str | None
    recorded_at: datetime | None
    created_at: datetime | None


def store_recording(session: Session, recording: PlatformRecording) -> int:
    """Insert the row, or update it as long as it has no file; returns its id. Idempotent for one with an id."""
    values = vars(recording) | {"error": to_json(_no_file(recording.file_url)).decode()}
    if recording.id is not None:
        session.execute(_CHANGE, values)
        return recording.id
    return int(session.execute(_CREATE, values).scalar_one())


def remove_recordings(session: Session, ids: Collection[int]) -> None:
    """Delete rows that the platform has deleted, unless they have files here. Idempotent.

    The sweep removes the pictures of their boards.
    """
    session.execute(_REMOVE, {"ids": list(ids)})


def _no_file(file_url: str | None) -> dict[str, object]:
    detail = "The platform has no file of this recording: it was downloaded where it was made. Its board is here."
    if file_url is not None:
        detail = f"The file of this recording is the platform's own ({file_url}) and was not taken. Its board is here."
    return problem("no-file", "No file", 404, detail)
