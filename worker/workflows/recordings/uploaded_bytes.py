"""The uploaded bytes of a recording: in the spool, or on B2, of which a restored database may not know."""

from pathlib import Path

from worker.errors import NotFound
from worker.recordings.source import UploadedSource
from worker.storage.objects import StoredObject
from worker.uploads.private_files import full_disk_named
from worker.workflows.context import WorkerContext


class BytesGone(NotFound):
    """The uploaded bytes are neither in the spool nor on B2; only a new upload helps."""

    code, title, status = "bytes-gone", "The uploaded bytes are gone", 410


def uploaded_bytes(context: WorkerContext, source: UploadedSource) -> Path:
    """The path of the bytes in the spool. Raises BytesGone.

    After a restore of the database the row may name a file that left the spool once B2 had it; it is then downloaded
    again.
    """
    if source.spool_name is not None:
        if context.spool.has(source.spool_name):
            return context.spool.path(source.spool_name)
        stored = stored_source(context, source)
        if stored is not None:
            return fetch_to_spool(context, stored.name, source.spool_name, sha1=source.sha1, size=stored.size)
    raise BytesGone(f"The bytes of recording {source.recording_id} are no longer kept. Upload it again.")


def stored_source(context: WorkerContext, source: UploadedSource) -> StoredObject | None:
    """The object that has exactly these bytes, whatever its extension; None when B2 has none."""
    objects = context.store.list(f"{source.prefix}{source.sha1[:12]}/source.")
    return next((stored for stored in objects if stored.sha1 == source.sha1), None)


def fetch_to_spool(context: WorkerContext, object_name: str, spool_name: str, *, sha1: str, size: int) -> Path:
    """Download an object as the file `spool_name`, which exists only once it is complete and verified."""
    context.spool.require_space(size)
    with full_disk_named():
        path = context.spool.target(spool_name)
        context.store.download(object_name, path, sha1=sha1)
        path.chmod(0o600)
    return path
