"""From uploaded bytes to a playable lesson on B2: read, copy, verify, upload. No transaction is open here."""

from dataclasses import dataclass
from pathlib import Path

from worker.concurrency import ShouldStop, together
from worker.jobs.job_run import JobRun
from worker.media.binaries import Binaries
from worker.media.errors import FfmpegFailed
from worker.media.header import Header, read_header
from worker.media.limits import Limits
from worker.media.listening import choose_sounds
from worker.media.playable import PlayableForm
from worker.media.poster import Poster, write_poster
from worker.media.probe import Probe, read_packets
from worker.media.remux import CopyPlan, plan_copy, plan_promised_copy, write_copy
from worker.media.repairs import Repair
from worker.media.verify import Copy
from worker.recordings.checking import Checked, Draft, better_draft, check_draft
from worker.recordings.names import playback_name, poster_name
from worker.recordings.source import UploadedSource
from worker.storage.objects import StoredObject
from worker.storage.store import ObjectStore


@dataclass(frozen=True)
class Playable:
    """What an ingest made: the fast copy on B2, its poster (None for sound alone), and what was found in both."""

    source: Probe
    copy: Copy
    form: PlayableForm
    mime: str
    playback: StoredObject
    poster: StoredObject | None
    still: Poster | None
    repairs: tuple[Repair, ...]
    # How many pictures were decoded to see whether it plays.
    decoded: int


@dataclass(frozen=True)
class IngestContext:
    """Where and with what one ingest works."""

    binaries: Binaries
    store: ObjectStore
    folder: Path
    limits: Limits


@dataclass(frozen=True)
class _Stored:
    """What is on B2 of a draft."""

    playback: StoredObject
    poster: StoredObject | None
    still: Poster | None


def make_playable(run: JobRun, bench: IngestContext, source: UploadedSource, path: Path) -> Playable:
    """Make the recording at `path` playable and put it on B2.

    The copy is uploaded before it is verified, so its row must wait for the end of this function. Raises
    MediaRejected when the bytes are to blame, and what the runner and the store raise. Progress: the header up to
    5 %, the copy to 40 %, the upload to 99 %.
    """
    run.progress(1, "reading the recording")
    header = read_header(path, bench.binaries, limits=bench.limits, should_stop=run.should_stop)
    header = choose_sounds(path, header, bench.binaries, bench.folder, should_stop=run.should_stop)
    run.progress(5, "writing the fast copy")
    draft = _copy_while_reading(run, bench, header, path, bench.folder / "playback")
    run.progress(40, "storing the lesson")
    stored, checked = _store_while_checking(run, bench, source, draft)
    if not checked.is_whole:
        better = better_draft(path, draft, checked, bench.binaries, bench.folder, run.should_stop)
        if better is not None:
            draft, checked = better
            wrong, stored = stored, _store(run, bench, source, draft, run.should_stop)
            bench.store.delete(wrong.playback.name)
    run.progress(99, "finishing")
    return Playable(
        source=draft.probed,
        copy=checked.copy_or_raise(),
        form=draft.plan.form,
        mime=draft.plan.mime,
        playback=stored.playback,
        poster=stored.poster,
        still=stored.still,
        repairs=draft.repairs,
        decoded=checked.decoded.pictures,
    )


def _copy_while_reading(run: JobRun, bench: IngestContext, header: Header, path: Path, target: Path) -> Draft:
    """Write the fast copy by what the header promises, while the packets tell whether that is true."""
    promised = plan_promised_copy(header)
    with together(run.should_stop) as steps:
        reading = steps.begin(
            lambda stop: read_packets(path, header, bench.binaries, limits=bench.limits, should_stop=stop)
        )
        if promised is not None:
            copying = steps.begin(lambda stop: _copy_is_made(run, bench, promised, path, target, stop))
    found = reading.result()
    plan = plan_copy(found)
    if plan != promised or not copying.result():
        _write_copy(run, bench, plan, path, target, run.should_stop)
    return Draft(found, plan, target)


def _copy_is_made(
    run: JobRun, bench: IngestContext, plan: CopyPlan, path: Path, target: Path, should_stop: ShouldStop
) -> bool:
    """Whether the copy could be made; when not, the bytes may be to blame, and that the packets will tell."""
    try:
        _write_copy(run, bench, plan, path, target, should_stop)
    except FfmpegFailed:
        return False
    return True


def _write_copy(
    run: JobRun, bench: IngestContext, plan: CopyPlan, path: Path, target: Path, should_stop: ShouldStop
) -> None:
    def written(_seconds: float) -> None:
        # How long the recording lasts is not known yet; the copy will be about as large as it.
        run.progress(5 + 35 * min(target.stat().st_size / plan.size_bytes, 1))

    write_copy(path, target, plan, bench.binaries, should_stop=should_stop, on_progress=written)


def _store_while_checking(
    run: JobRun, bench: IngestContext, source: UploadedSource, draft: Draft
) -> tuple[_Stored, Checked]:
    """Upload the copy while it is read again and its poster made: the one waits for B2, the others for the processor.

    When the copy turns out to be wrong, what was uploaded is named by no row: another copy takes its place, or the
    job's ending removes it.
    """
    with together(run.should_stop) as steps:
        checking = steps.begin(lambda stop: check_draft(draft, bench.binaries, stop))
        storing = steps.begin(lambda stop: _store(run, bench, source, draft, stop))
    return storing.result(), checking.result()


def _store(run: JobRun, bench: IngestContext, source: UploadedSource, draft: Draft, should_stop: ShouldStop) -> _Stored:
    name = playback_name(source.prefix, source.sha1, draft.plan.form.container, draft.way)
    size = max(draft.path.stat().st_size, 1)
    mime = draft.plan.mime

    def sent(count: int) -> None:
        run.progress(40 + 59 * min(count / size, 1))

    with together(should_stop) as steps:
        storing = steps.begin(
            lambda stop: bench.store.upload(draft.path, name, content_type=mime, on_progress=sent, should_stop=stop)
        )
        picturing = steps.begin(lambda stop: _store_poster(bench, source, draft, stop))
    poster, still = picturing.result()
    return _Stored(storing.result(), poster, still)


def _store_poster(
    bench: IngestContext, source: UploadedSource, draft: Draft, should_stop: ShouldStop
) -> tuple[StoredObject | None, Poster | None]:
    picture = bench.folder / "poster.jpg"
    still = write_poster(draft.path, picture, draft.probed, bench.binaries, should_stop=should_stop)
    if still is None:
        return None, None
    name = poster_name(source.prefix, source.sha1)
    return bench.store.upload(picture, name, content_type="image/jpeg", should_stop=should_stop), still
