"""From uploaded bytes to a playable lesson on B2: read, copy, verify, upload. No transaction is open here."""

from pathlib import Path

from worker.concurrency import ShouldStop, together
from worker.jobs.runs.job_run import JobRun
from worker.media.copying.copy_plan import CopyPlan
from worker.media.copying.plan_copy import plan_copy, plan_promised_copy
from worker.media.copying.remux import write_copy
from worker.media.errors import FfmpegFailed
from worker.media.pictures.poster import write_poster
from worker.media.probing.header import Header, read_header
from worker.media.probing.listening import choose_sounds
from worker.media.probing.packet_reading import read_packets
from worker.recordings.ingest.better_draft import better_draft
from worker.recordings.ingest.draft import Draft, DraftCheck, check_draft, with_true_duration
from worker.recordings.ingest.playable import IngestContext, Playable, StoredPoster
from worker.recordings.objects.names import playback_name, poster_name
from worker.recordings.source import UploadedSource
from worker.storage.objects import StoredObject


def make_playable(run: JobRun, context: IngestContext, source: UploadedSource, path: Path) -> Playable:
    """Make the recording at `path` playable and store it on B2.

    The copy is uploaded before it is verified, so its row must not be written before this function returns. Raises
    MediaRejected when the bytes are at fault, and what the runner and the store raise. Progress: the header up to 5 %,
    the copy to 40 %, the upload to 99 %.
    """
    run.progress(1, "reading the recording")
    header = read_header(path, context.binaries, limits=context.limits, should_stop=run.should_stop)
    header = choose_sounds(path, header, context.binaries, context.folder, should_stop=run.should_stop)
    run.progress(5, "writing the fast copy")
    draft = _copy_while_reading(run, context, header, path, context.folder / "playback")
    run.progress(40, "storing the lesson")
    playback, check, poster = _store_while_checking(run, context, source, draft)
    if not check.is_whole:
        better = better_draft(path, draft, check, context.binaries, context.folder, run.should_stop)
        if better is not None:
            wrong = playback
            draft, check = better
            playback = _store(run, context, source, draft, run.should_stop)
            context.store.delete(wrong.name)
        poster = _store_poster(context, source, draft, check, run.should_stop)
    run.progress(99, "finishing")
    return Playable(
        source=draft.probed,
        copy=check.copy_or_raise(),
        form=draft.plan.form,
        mime=draft.plan.mime,
        playback=playback,
        poster=poster.stored if poster else None,
        still=poster.still if poster else None,
        repairs=draft.repairs,
        decoded_pictures=check.decoding.pictures,
    )


def _copy_while_reading(run: JobRun, context: IngestContext, header: Header, path: Path, target: Path) -> Draft:
    """Write the copy planned from the header while all packets are read; write another when the packets require it."""
    promised = plan_promised_copy(header)
    with together(run.should_stop) as steps:
        reading = steps.begin(
            lambda stop: read_packets(path, header, context.binaries, limits=context.limits, should_stop=stop)
        )
        if promised is not None:
            copying = steps.begin(lambda stop: _try_copy(run, context, promised, path, target, stop))
    probed = reading.result()
    plan = plan_copy(probed)
    if plan != promised or not copying.result():
        _write_copy(run, context, plan, path, target, run.should_stop)
    return with_true_duration(Draft(probed, plan, target))


def _try_copy(
    run: JobRun, context: IngestContext, plan: CopyPlan, path: Path, target: Path, should_stop: ShouldStop
) -> bool:
    """Write the copy; returns whether that succeeded. If the bytes are at fault, reading the packets will show it."""
    try:
        _write_copy(run, context, plan, path, target, should_stop)
    except FfmpegFailed:
        return False
    return True


def _write_copy(
    run: JobRun, context: IngestContext, plan: CopyPlan, path: Path, target: Path, should_stop: ShouldStop
) -> None:
    def report(_seconds: float) -> None:
        # The length of the recording is not known yet, but the copy will be about as large as the source.
        run.progress(5 + 35 * min(target.stat().st_size / plan.size_bytes, 1))

    write_copy(path, target, plan, context.binaries, should_stop=should_stop, on_progress=report)


def _store_while_checking(
    run: JobRun, context: IngestContext, source: UploadedSource, draft: Draft
) -> tuple[StoredObject, DraftCheck, StoredPoster | None]:
    """Upload the copy while it is read and decoded; its poster is made if it is complete.

    The upload waits for the network, the rest for the processor. No row names an incomplete copy that was uploaded:
    another copy replaces it, or the end of the job removes it.
    """
    with together(run.should_stop) as steps:
        checking = steps.begin(lambda stop: _check_and_picture(context, source, draft, stop))
        storing = steps.begin(lambda stop: _store(run, context, source, draft, stop))
    return storing.result(), *checking.result()


def _check_and_picture(
    context: IngestContext, source: UploadedSource, draft: Draft, should_stop: ShouldStop
) -> tuple[DraftCheck, StoredPoster | None]:
    check = check_draft(draft, context.binaries, should_stop)
    poster = _store_poster(context, source, draft, check, should_stop) if check.is_whole else None
    return check, poster


def _store(
    run: JobRun, context: IngestContext, source: UploadedSource, draft: Draft, should_stop: ShouldStop
) -> StoredObject:
    name = playback_name(source.prefix, source.sha1, draft.plan.form.container, draft.variant)
    size = max(draft.path.stat().st_size, 1)

    def report(count: int) -> None:
        run.progress(40 + 59 * min(count / size, 1))

    return context.store.upload(
        draft.path, name, content_type=draft.plan.mime, on_progress=report, should_stop=should_stop
    )


def _store_poster(
    context: IngestContext, source: UploadedSource, draft: Draft, check: DraftCheck, should_stop: ShouldStop
) -> StoredPoster | None:
    """Store the poster of a draft on B2; returns None when it has no picture."""
    picture = context.folder / "poster.jpg"
    still = write_poster(
        draft.path,
        picture,
        draft.probed,
        context.binaries,
        contrasts=check.decoding.contrasts,
        should_stop=should_stop,
    )
    if still is None:
        return None
    name = poster_name(source.prefix, source.sha1)
    stored = context.store.upload(picture, name, content_type="image/jpeg", should_stop=should_stop)
    return StoredPoster(stored, still)
