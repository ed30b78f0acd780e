"""The uploaded bytes of a recording: in the spool, or on B2."""

from pathlib import Path

from worker.errors import NotFound
from worker.recordings.source import UploadedSource
from worker.storage.objects import StoredObject
from worker.uploads.private_files import report_full_disk
from worker.workflows.context import WorkerContext


class BytesGone(NotFound):
    """The uploaded bytes are neither in the spool nor on B2; only a new upload helps."""

    code, title, status = "bytes-gone", "The uploaded bytes are gone", 410


def uploaded_bytes(context: WorkerContext, source: UploadedSource, folder: Path) -> Path:
    """The path of the bytes: in the spool, or downloaded into `folder`. Raises BytesGone.

    They have left the spool for B2 if an earlier ingest of a continued upload failed, or if the database was restored.
    """
    if source.spool_name is not None and context.spool.has(source.spool_name):
        return context.spool.path(source.spool_name)
    stored = stored_source(context, source)
    if stored is None:
        raise BytesGone(f"The bytes of recording {source.recording_id} are no longer kept. Upload it again.")
    return fetch_bytes(context, stored.name, folder / "source", sha1=source.sha1, size=stored.size)


def stored_source(context: WorkerContext, source: UploadedSource) -> StoredObject | None:
    """The object that has exactly these bytes, whatever its extension; None when B2 has none."""
    objects = context.store.list(f"{source.prefix}{source.sha1[:12]}/source.")
    return next((stored for stored in objects if stored.sha1 == source.sha1), None)


def fetch_bytes(context: WorkerContext, object_name: str, path: Path, *, sha1: str, size: int) -> Path:
    """Download an object to a path on the spool's disk, which exists only once it is complete and verified."""
    context.spool.require_space(size)
    with report_full_disk():
        context.store.download(object_name, path, sha1=sha1)
        path.chmod(0o600)
    return path
