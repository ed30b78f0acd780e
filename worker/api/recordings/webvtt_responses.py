"""Captions and chapters as a file of WebVTT."""

from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import Response

from models.recordings import Recording
from worker.media.captions.cue import Cue
from worker.media.captions.write_webvtt import write_webvtt
from worker.recordings.reading import duration_ms
from worker.recordings.texts.chapters import chapter_cues
from worker.workflows.boards.board_moments import chapters_of

VTT: dict[int | str, dict[str, Any]] = {
    200: {"description": "WebVTT.", "content": {"text/vtt": {"schema": {"type": "string"}}}}
}


def vtt_response(cues: list[Cue]) -> Response:
    """These captions or chapters as a file."""
    return Response(write_webvtt(cues), media_type="text/vtt")


def cues_of_chapters(session: Session, recording: Recording) -> list[Cue]:
    """The chapters of a recording as the cues of a file."""
    return chapter_cues(chapters_of(session, recording).chapters, duration_ms(recording))
