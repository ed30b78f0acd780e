"""Make the pending renditions of a recording from its fast copy; each is stored as soon as it is made."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from worker.jobs.job_run import JobRun
from worker.jobs.recording_orders import MakeRenditions
from worker.media.captions.cue import Cue
from worker.media.decoding.loudness import gain_of, measure_loudness
from worker.media.errors import FfmpegFailed, FfmpegTimeout, OutputDamaged
from worker.media.probing.packet_reading import probe
from worker.media.renditions.check_rendition import WrittenRendition, check_copied, check_download, check_rendition
from worker.media.renditions.rendition_forms import PICTURES, SOUNDS, may_be_copied
from worker.media.renditions.write_download import write_download
from worker.media.renditions.write_renditions import Recorded, write_copied, write_renditions
from worker.recordings.chapters import chapter_cues
from worker.recordings.names import rendition_name
from worker.recordings.order_renditions import in_order, is_rendition
from worker.recordings.pending_rows import MoreOrdered, begin_pending, require_none_pending
from worker.recordings.reading import duration_ms, read_recording
from worker.recordings.rendition_rows import FastCopy, StoredTrack, fast_copy_of, store_hls, stored_tracks
from worker.recordings.renditions import ready, set_rendition
from worker.recordings.source import lock_recording, version_of
from worker.uploads.private_files import full_disk_named
from worker.workflows.board_moments import chapters_of
from worker.workflows.context import WorkerContext

# What one rendition fails with while others succeed; everything else ends the attempt.
_OWN_FAULTS = (FfmpegFailed, FfmpegTimeout, OutputDamaged)
# The pictures of `download`, the best first for its size.
_DOWNLOADED = ("board", "360p", "720p")


class _Outdated(Exception):
    """The recording was deleted, or its bytes were extended: another job makes the renditions of what it is now."""


@dataclass
class _Rendering:
    """One attempt: the fast copy, and what was written of it."""

    run: JobRun
    order: MakeRenditions
    context: WorkerContext
    folder: Path
    fast_copy: FastCopy
    outcome: dict[str, str] = field(default_factory=dict)

    @cached_property
    def recorded(self) -> Recorded:
        """The fast copy, fetched when it is needed first: `hls` and `download` are made of other renditions."""
        self.run.progress(1, "fetching the recording")
        self.context.spool.require_space(2 * self.fast_copy.bytes)
        path = self.folder / "playback"
        self.context.store.download(self.fast_copy.object_name, path, sha1=self.fast_copy.sha1)
        return Recorded(path, probe(path, self.context.binaries, should_stop=self.run.should_stop))

    def path(self, name: str) -> Path:
        return self.folder / f"rendition-{name}"


def make_renditions(run: JobRun, order: MakeRenditions, context: WorkerContext) -> None:
    """Make all renditions that are pending. One that fails has its reason in its row, and the others are made.

    Pictures are made by one decoding, sounds before them. An attempt that was interrupted leaves those that are ready.
    Raises what the store raises.
    """
    try:
        with run.transaction() as session:
            fast_copy, names = _begin(session, order)
        with full_disk_named(), context.spool.workspace(run.claim.job_id) as folder:
            _make_all(_Rendering(run, order, context, folder, fast_copy), names)
    except _Outdated:
        run.succeed({"renditions": {}})


def _begin(session: Session, order: MakeRenditions) -> tuple[FastCopy, Sequence[str]]:
    _require_current(session, order)
    fast_copy = fast_copy_of(session, order.recording_id)
    names = begin_pending(session, order.recording_id, is_rendition)
    if fast_copy is None or not names:
        raise _Outdated
    return fast_copy, in_order(names)


def _require_current(session: Session, order: MakeRenditions) -> None:
    recording = lock_recording(session, order.recording_id)
    if recording is None or not recording.is_available or version_of(recording) != order.version:
        raise _Outdated


def _make_all(rendering: _Rendering, names: Sequence[str]) -> None:
    while True:
        _make_sounds(rendering, [name for name in names if name in SOUNDS])
        pictures = _copy_pictures(rendering, [name for name in names if name in PICTURES])
        if pictures:
            _make_tracks(rendering, pictures, rendering.recorded, 20, 90)
        if "hls" in names:
            _offer_hls(rendering)
        if "download" in names:
            _attempt_download(rendering)
        try:
            _finish(rendering)
        except MoreOrdered as more:
            names = in_order(more.names)
        else:
            return


def _finish(rendering: _Rendering) -> None:
    rendering.run.check()
    with rendering.run.finish({"renditions": rendering.outcome}) as session:
        _require_current(session, rendering.order)
        require_none_pending(session, rendering.order.recording_id, is_rendition)


def _make_sounds(rendering: _Rendering, names: Sequence[str]) -> None:
    """Measure the loudness first: the gain is one for the whole recording."""
    if not names:
        return
    recorded, run = rendering.recorded, rendering.run
    run.progress(5, "measuring the sound")
    seconds = recorded.probed.duration_ms / 1000
    try:
        loudness = measure_loudness(
            recorded.path, rendering.context.binaries, seconds=seconds, should_stop=run.should_stop
        )
    except _OWN_FAULTS:
        loudness = None
    levelled = Recorded(recorded.path, recorded.probed, gain_of(loudness))
    _make_tracks(rendering, names, levelled, 10, 20)


def _copy_pictures(rendering: _Rendering, names: Sequence[str]) -> list[str]:
    """Store those that the recording already has in the right form; returns the others."""
    if not names:
        return []
    video = rendering.recorded.probed.video
    copied = {name for name in names if video is not None and may_be_copied(PICTURES[name], video)}
    return [name for name in names if name not in copied or not _copy_picture(rendering, name)]


def _copy_picture(rendering: _Rendering, name: str) -> bool:
    context, path, stop = rendering.context, rendering.path(name), rendering.run.should_stop
    try:
        write_copied(rendering.recorded, path, context.binaries, should_stop=stop)
        duration_ms = rendering.recorded.probed.duration_ms
        written = check_copied(PICTURES[name], name, path, duration_ms, context.binaries, should_stop=stop)
    except _OWN_FAULTS:
        return False
    if written is None:
        return False
    _store(rendering, name, written)
    return True


def _make_tracks(rendering: _Rendering, names: Sequence[str], recorded: Recorded, begin: int, end: int) -> None:
    """Write these tracks together and store them; when that fails, one by one."""
    run, context = rendering.run, rendering.context
    seconds = max(recorded.probed.duration_ms / 1000, 0.001)

    def write(each: Sequence[str]) -> None:
        write_renditions(
            recorded,
            {name: rendering.path(name) for name in each},
            context.binaries,
            should_stop=run.should_stop,
            on_progress=lambda done: run.progress(begin + (end - begin) * min(done / seconds, 1), "encoding"),
        )

    try:
        write(names)
        make = partial(_checked, rendering)
    except _OWN_FAULTS:
        make = partial(_write_alone, rendering, write)
    for name in names:
        _attempt(rendering, name, partial(make, name))


def _write_alone(rendering: _Rendering, write: Callable[[Sequence[str]], None], name: str) -> WrittenRendition:
    write([name])
    return _checked(rendering, name)


def _checked(rendering: _Rendering, name: str) -> WrittenRendition:
    return check_rendition(
        name,
        rendering.path(name),
        rendering.recorded.probed.duration_ms,
        rendering.context.binaries,
        should_stop=rendering.run.should_stop,
    )


def _attempt(rendering: _Rendering, name: str, make: Callable[[], WrittenRendition]) -> None:
    """Make and store one rendition, or write into its row why it failed."""
    written = _made(rendering, name, make)
    if written is not None:
        _store(rendering, name, written)


def _made(rendering: _Rendering, name: str, make: Callable[[], WrittenRendition]) -> WrittenRendition | None:
    """The rendition that was made; None when it failed, and its row has the reason."""
    rendering.run.check()
    try:
        return make()
    except _OWN_FAULTS as error:
        rendering.outcome[name] = "failed"
        _write_row(rendering, name, {"state": "failed", "reason": error.detail})
        return None


def _store(
    rendering: _Rendering,
    name: str,
    written: WrittenRendition,
    is_current: Callable[[Session], bool] = lambda _session: True,
) -> None:
    """Put the file on B2 and write its row; one that is no longer current stays pending and is made again."""
    copy = rendering.fast_copy
    with written.path.open("rb") as file:
        sha1 = hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
    extension = SOUNDS[name].extension if name in SOUNDS else "mp4"
    stored = rendering.context.store.upload(
        written.path,
        rendition_name(copy.prefix, copy.digest, name, extension, sha1),
        content_type=written.mime,
        sha1=sha1,
        should_stop=rendering.run.should_stop,
    )
    columns = ready(stored) | {
        "mime": written.mime,
        "codecs": written.codecs,
        "width": written.width,
        "height": written.height,
        "bit_rate": written.bit_rate,
        "duration_ms": written.duration_ms,
        "segments": written.segments.document() if written.segments else None,
    }
    if _write_row(rendering, name, columns, is_current):
        rendering.outcome[name] = "ready"


def _write_row(
    rendering: _Rendering,
    name: str,
    columns: dict[str, Any],
    is_current: Callable[[Session], bool] = lambda _session: True,
) -> bool:
    """Write the row, unless what it says is no longer current; returns whether it was written."""
    with rendering.run.transaction() as session:
        _require_current(session, rendering.order)
        current = is_current(session)
        if current:
            set_rendition(session, rendering.order.recording_id, name, **columns)
    return current


def _offer_hls(rendering: _Rendering) -> None:
    with rendering.run.transaction() as session:
        _require_current(session, rendering.order)
        rendering.outcome["hls"] = store_hls(session, rendering.order.recording_id)


def _attempt_download(rendering: _Rendering) -> None:
    recording_id = rendering.order.recording_id
    with rendering.context.database.transaction() as session:
        tracks = stored_tracks(session, recording_id)
        chapters = _chapters(session, recording_id)
    written = _made(rendering, "download", lambda: _make_download(rendering, tracks, chapters))
    if written is not None:
        _store(rendering, "download", written, lambda session: _chapters(session, recording_id) == chapters)


def _chapters(session: Session, recording_id: int) -> list[Cue]:
    recording = read_recording(session, recording_id)
    return [] if recording is None else chapter_cues(chapters_of(session, recording).chapters, duration_ms(recording))


def _make_download(
    rendering: _Rendering, tracks: Mapping[str, StoredTrack], chapters: Sequence[Cue]
) -> WrittenRendition:
    picture = next((tracks[name] for name in _DOWNLOADED if name in tracks), None)
    sound = tracks.get("audio-aac")
    if picture is None and sound is None:
        raise OutputDamaged("It is made of the rendition audio-aac and a picture, and none of them is ready.")
    target = rendering.path("download")
    write_download(
        None if picture is None else _local(rendering, picture),
        None if sound is None else _local(rendering, sound),
        target,
        rendering.context.binaries,
        chapters=chapters,
        should_stop=rendering.run.should_stop,
    )
    length = rendering.fast_copy.duration_ms
    return check_download(target, length, rendering.context.binaries, should_stop=rendering.run.should_stop)


def _local(rendering: _Rendering, track: StoredTrack) -> Path:
    """The track's file: written by this attempt, or else downloaded."""
    path = rendering.path(track.name)
    if not path.exists():
        rendering.context.store.download(track.object_name, path, sha1=track.sha1)
    return path
