"""The strokes of a recording: the replay that its film shows, and when somebody drew while it was recorded."""

import hashlib
from pathlib import Path

from worker.canvases.replay.build_timeline import NothingDrawn, build_timeline
from worker.canvases.replay.history import load_history, was_drawn_on
from worker.canvases.replay.replay_json import pack_replay
from worker.canvases.replay.stroke_times import place_strokes
from worker.canvases.replay.timeline import RecordedVoice, ReplayTimeline
from worker.recordings.activity import Stretch, in_recording
from worker.recordings.films.voices import voices_of
from worker.recordings.outputs.pictures import PicturedRecording
from worker.workflows.boards.board_images import board_with_images
from worker.workflows.context import WorkerContext


def replay_of(context: WorkerContext, recording: PicturedRecording, folder: Path) -> ReplayTimeline | None:
    """The timeline of a board's film; None for other recordings, and if the board has changed since.

    It is exactly the film's: its packed strokes are the bytes that are stored with the film.
    """
    if recording.replay_sha1 is None:
        return None
    with context.database.transaction() as session:
        history = load_history(session, recording.session_id)
        voices = voices_of(session, recording.session_id)
    board = board_with_images(context, recording.session_id, history, folder)
    heard = [RecordedVoice(voice.recording_id, voice.stretches) for voice in voices]
    for shorten_idle in (False, True):
        try:
            timeline = build_timeline(
                board, turns=history.turns, shorten_idle=shorten_idle, until=history.ended_at, voices=heard
            )
        except NothingDrawn:
            return None
        packed = pack_replay(timeline)
        if hashlib.sha1(packed, usedforsecurity=False).hexdigest() == recording.replay_sha1:
            return timeline
    return None


def drawn_stretches(
    context: WorkerContext, recording: PicturedRecording, timeline: ReplayTimeline | None
) -> list[Stretch]:
    """When somebody drew or turned a page, in milliseconds of the recording; unordered."""
    if timeline is not None:
        turns = ((turn.at, turn.at) for turn in timeline.turns)
        return [*((stroke.start, stroke.end) for stroke in timeline.strokes), *turns]
    if not is_drawn_on(context, recording):
        return []
    with context.database.transaction() as session:
        history = load_history(session, recording.session_id)
    strokes = place_strokes([page.drawn for page in history.board.pages])
    turned = [round(turn.at.timestamp() * 1000) for turn in history.turns]
    drawn = [*((stroke.start, stroke.end) for stroke in strokes), *((at, at) for at in turned)]
    return in_recording(drawn, recording.stretches)


def is_drawn_on(context: WorkerContext, recording: PicturedRecording) -> bool:
    """Whether anybody has drawn on the board of the recording's session."""
    with context.database.transaction() as session:
        return was_drawn_on(session, recording.session_id)
