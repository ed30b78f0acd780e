"""From uploaded bytes to a playable lesson on B2: probe, fast copy, poster, upload. No transaction is open here."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from worker.jobs.run import JobRun
from worker.media.binaries import Binaries
from worker.media.limits import Limits
from worker.media.playable import PlayableForm, playable_form
from worker.media.poster import Poster, write_poster
from worker.media.probe import Probe, probe
from worker.media.remux import write_playable
from worker.recordings.names import playback_name, poster_name
from worker.recordings.opening import Source
from worker.storage.objects import StoredObject
from worker.storage.store import ObjectStore


@dataclass(frozen=True)
class Playable:
    """What an ingest made: the fast copy on B2, its poster (None for sound alone), and what the probes found."""

    source: Probe
    copy: Probe
    form: PlayableForm
    playback: StoredObject
    poster: StoredObject | None
    still: Poster | None


@dataclass(frozen=True)
class Bench:
    """Where and with what one ingest works."""

    binaries: Binaries
    store: ObjectStore
    folder: Path
    limits: Limits


def make_playable(run: JobRun, bench: Bench, source: Source, path: Path) -> Playable:
    """Make the recording at `path` playable and put it on B2.

    Raises MediaRejected when the bytes are to blame, and what the runner and the store raise. Progress: the probe up
    to 5 %, the copy to 40 %, the upload to 99 %.
    """
    run.progress(1, "reading the recording")
    found = probe(path, bench.binaries, limits=bench.limits, should_stop=run.should_stop)
    form = playable_form(found)
    run.progress(5, "writing the fast copy")
    target = bench.folder / f"playback.{form.extension}"
    seconds = max(found.duration_ms / 1000, 0.001)
    copy = write_playable(
        path,
        target,
        found,
        bench.binaries,
        should_stop=run.should_stop,
        on_progress=lambda done: run.progress(5 + 35 * min(done / seconds, 1)),
    )
    run.progress(40, "storing the lesson")
    playback, poster, still = _store_beside_poster(run, bench, source, target, form, copy)
    run.progress(99, "finishing")
    return Playable(found, copy, form, playback, poster, still)


def _store_beside_poster(
    run: JobRun, bench: Bench, source: Source, target: Path, form: PlayableForm, copy: Probe
) -> tuple[StoredObject, StoredObject | None, Poster | None]:
    """Upload the copy while its poster is made: the one waits for B2, the other for the processor.

    ffmpeg stays in this thread, since it dies with the one that started it.
    """
    abandoned = threading.Event()
    size = max(target.stat().st_size, 1)

    def store(path: Path, name: str, content_type: str, on_sent: Callable[[int], None] | None = None) -> StoredObject:
        return bench.store.upload(
            path,
            name,
            content_type=content_type,
            sha1=_sha1(path),
            on_progress=on_sent,
            should_stop=lambda: run.should_stop() or abandoned.is_set(),
        )

    def sent(count: int) -> None:
        run.progress(40 + 59 * min(count / size, 1))

    with ThreadPoolExecutor(1, "store") as beside:
        name = playback_name(source.prefix, source.sha1, form.extension)
        upload = beside.submit(store, target, name, form.mime, sent)
        try:
            picture = bench.folder / "poster.jpg"
            still = write_poster(target, picture, copy, bench.binaries, should_stop=run.should_stop)
            poster = store(picture, poster_name(source.prefix, source.sha1), "image/jpeg") if still else None
            return upload.result(), poster, still
        except BaseException:
            # Also of a time limit, which no `should_stop` tells: nobody waits for the rest of the upload then.
            abandoned.set()
            raise


def _sha1(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
