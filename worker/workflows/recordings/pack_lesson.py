"""Make one .html file of a recording: voice, strokes, chapters, captions and player, for people without a network."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from models.recordings import Recording, Rendition
from models.snapshots import Snapshot
from worker.errors import Conflict
from worker.jobs.orders.lesson_orders import PackLesson
from worker.jobs.runs.job_run import JobRun
from worker.media.captions.cue import Cue
from worker.player.player_files import PACK_PARTS, joined, player_file
from worker.player.write_pack import MIME, PackCaptions, PackCue, PackedLesson, PackPicture, write_pack
from worker.recordings.objects.names import pack_name, recording_prefix
from worker.recordings.outputs.renditions import ready, renditions_of, set_rendition
from worker.recordings.reading import duration_ms
from worker.recordings.source import lock_recording
from worker.recordings.texts.captions import all_captions
from worker.recordings.texts.chapters import chapter_cues
from worker.uploads.private_files import report_full_disk
from worker.workflows.boards.board_moments import chapters_of
from worker.workflows.boards.pages_beside import PagePictures, PagesBeside, pages_beside
from worker.workflows.context import WorkerContext

# Sounds that a pack may hold, the smallest first. The fast copy is one only when it has no picture.
_SOUNDS = ("audio", "audio-aac", "playback")
# Shown if there are no strokes, the smallest first.
_PICTURES = ("poster-640", "poster")
# Maximum bytes of all pages' pictures next to an hour of voice; beyond that the thumbnails are used.
_MAX_PAGE_BYTES = 1_200_000


@dataclass(frozen=True)
class PackPlan:
    """What a pack will hold, the digest of its contents, and the row of the pack if one was made."""

    title: str
    object_name: str
    digest: str
    sound: Rendition | None
    strokes: Rendition | None
    picture: Rendition | None
    pages: PagesBeside
    chapters: Sequence[Cue]
    captions: Sequence[tuple[str, Sequence[Cue]]]
    stored: Rendition | None


def plan_pack(session: Session, recording: Recording, language: str) -> PackPlan:
    """Plan the pack of a recording as it is now. Raises Conflict when there is neither a sound nor strokes for it."""
    rows = {row.name: row for row in renditions_of(session, recording.id) if row.state == "ready"}
    strokes, sound = rows.get("replay"), _sound(rows)
    if recording.source_sha1 is None or not recording.is_available or not (sound or strokes):
        raise Conflict(f"Recording {recording.id} has no sound or strokes yet that could be put into one file.")
    picture = None if strokes else next((rows[name] for name in _PICTURES if name in rows), None)
    pages = PagesBeside() if strokes else pages_beside(session, recording)
    chapters = chapter_cues(chapters_of(session, recording).chapters, duration_ms(recording))
    captions = all_captions(session, recording.id)
    title = recording.recording_title or ""
    digest = _digest(language, title, [sound, strokes, picture], pages, chapters, captions)
    name = pack_name(recording_prefix(recording.session_id, recording.id), recording.source_sha1, language, digest)
    stored = rows.get(f"pack-{language}")
    is_current = stored is not None and stored.object_name == name
    return PackPlan(
        title, name, digest, sound, strokes, picture, pages, chapters, captions, stored if is_current else None
    )


def pack_lesson(run: JobRun, order: PackLesson, context: WorkerContext) -> None:
    """Make the pack and write its row, unless the recording was deleted or the pack is current."""
    with context.database.transaction() as session:
        recording = lock_recording(session, order.recording_id)
        plan = None if recording is None else plan_pack(session, recording, order.language)
        session.expunge_all()
    if plan is None or plan.stored is not None:
        return
    with report_full_disk(), context.spool.workspace(run.claim.job_id) as folder:
        run.progress(10, "fetching the lesson")
        lesson = _fetch(plan, context, folder)
        run.progress(60, "storing the file")
        path = folder / "lesson.html"
        with path.open("wb") as file:
            write_pack(lesson, order.language, file)
        stored = context.store.upload(
            path,
            plan.object_name,
            content_type=MIME,
            content_disposition=f'attachment; filename="lesson-{order.recording_id}.html"',
            should_stop=run.should_stop,
        )
    with run.finish({"bytes": stored.size}) as session:
        # If it was deleted meanwhile, the sweep removes the object.
        if lock_recording(session, order.recording_id) is not None:
            set_rendition(session, order.recording_id, f"pack-{order.language}", **ready(stored), mime=MIME)


def _sound(rows: dict[str, Rendition]) -> Rendition | None:
    sounds = (rows[name] for name in _SOUNDS if name in rows)
    return next((row for row in sounds if (row.mime or "").startswith("audio/")), None)


def _fetch(plan: PackPlan, context: WorkerContext, folder: Path) -> PackedLesson:
    def fetched(row: Rendition | Snapshot | None, name: str) -> Path | None:
        if row is None or row.object_name is None:
            return None
        path = folder / name
        context.store.download(row.object_name, path, sha1=row.sha1)
        return path

    pages = []
    for page in plan.pages.pages:
        row = _picture(plan.pages.pages, page)
        path = fetched(row, f"page-{page.page_number}")
        if path is not None:
            starts = [turn.start_ms / 1000 for turn in plan.pages.turns if turn.page_number == page.page_number]
            pages.append(PackPicture(path, row.mime, page.page_number, starts))
    return PackedLesson(
        title=plan.title,
        sound=fetched(plan.sound, "sound"),
        sound_mime=(plan.sound.mime or "") if plan.sound else "",
        strokes=fetched(plan.strokes, "strokes"),
        picture=fetched(plan.picture, "picture"),
        picture_mime=(plan.picture.mime or "") if plan.picture else "",
        pages=pages,
        chapters=_cues(plan.chapters),
        captions=[PackCaptions(language, _cues(cues)) for language, cues in plan.captions],
    )


def _picture(pages: Sequence[PagePictures], page: PagePictures) -> Snapshot:
    """The picture that is used for this page: full size for all pages, or thumbnails for all."""
    return page.picture if sum(each.picture.bytes for each in pages) <= _MAX_PAGE_BYTES else page.thumbnail


def _cues(cues: Sequence[Cue]) -> list[PackCue]:
    return [PackCue(cue.start_ms / 1000, cue.end_ms / 1000, cue.text) for cue in cues]


def _digest(
    language: str,
    title: str,
    rows: Sequence[Rendition | None],
    pages: PagesBeside,
    chapters: Sequence[Cue],
    captions: Sequence[tuple[str, Sequence[Cue]]],
) -> str:
    """The digest of everything in a pack, including the player."""
    contents = [
        language,
        title,
        [row.sha1 if row else None for row in rows],
        [page.picture.content_digest for page in pages.pages],
        [astuple(turn) for turn in pages.turns],
        [astuple(cue) for cue in chapters],
        [[name, [astuple(cue) for cue in cues]] for name, cues in captions],
        [joined(PACK_PARTS), *map(player_file, ("watch.css", "player.html", "contents.html", f"words-{language}.js"))],
    ]
    return hashlib.sha1(json.dumps(contents).encode(), usedforsecurity=False).hexdigest()
