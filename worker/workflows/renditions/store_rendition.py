"""Store a rendition on B2 and in its row, or write into the row why it could not be made."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from worker.media.renditions.check_rendition import WrittenRendition
from worker.media.renditions.rendition_forms import SOUNDS
from worker.recordings.objects.names import rendition_name
from worker.recordings.outputs.renditions import ready, set_rendition
from worker.storage.file_digest import sha1_of
from worker.workflows.renditions.rendering import OWN_FAULTS, Rendering, require_current


def _always(_session: Session) -> bool:
    return True


def make_and_store(
    rendering: Rendering,
    name: str,
    make: Callable[[], WrittenRendition],
    is_current: Callable[[Session], bool] = _always,
) -> None:
    """Make and store one rendition; if making it fails with an error of its own, its row gets the reason."""
    rendering.run.check()
    try:
        written = make()
    except OWN_FAULTS as error:
        rendering.outcome[name] = "failed"
        _write_row(rendering, name, {"state": "failed", "reason": error.detail})
    else:
        store_rendition(rendering, name, written, is_current)


def store_rendition(
    rendering: Rendering,
    name: str,
    written: WrittenRendition,
    is_current: Callable[[Session], bool] = _always,
) -> None:
    """Store the file on B2 and write its row; if it is no longer current, it stays pending and is made again."""
    copy = rendering.fast_copy
    sha1 = sha1_of(written.path)
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
    rendering: Rendering, name: str, columns: dict[str, Any], is_current: Callable[[Session], bool] = _always
) -> bool:
    """Write the row unless it is no longer current; returns whether it was written."""
    with rendering.run.transaction() as session:
        require_current(session, rendering.order)
        current = is_current(session)
        if current:
            set_rendition(session, rendering.order.recording_id, name, **columns)
    return current
