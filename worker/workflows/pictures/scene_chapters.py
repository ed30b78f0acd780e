"""Where the chapters of a film without a board begin: at scene changes near silence."""

from worker.media.pictures.scenes import chapter_starts, find_scene_changes
from worker.recordings.activity import quiet_of
from worker.workflows.pictures.drawn_times import is_drawn_on
from worker.workflows.pictures.picture_attempt import PICTURE_FAULTS, PictureAttempt


def scene_chapter_starts(attempt: PictureAttempt) -> list[int] | None:
    """The starts of the chapters; None without a map of quiet parts, or if a board gives better ones."""
    recording, run = attempt.recording, attempt.run
    if recording.size is None or is_drawn_on(attempt.context, recording) or not attempt.activity.exists():
        return None
    run.progress(85, "looking for chapters")
    silences = quiet_of(attempt.activity.read_bytes()) if recording.has_sound else None
    try:
        film = attempt.film()
        binaries = attempt.context.binaries
        changes = find_scene_changes(film, attempt.folder, binaries, should_stop=run.should_stop) if film else []
    except PICTURE_FAULTS:
        return None
    return chapter_starts(changes, silences, recording.duration_ms)
