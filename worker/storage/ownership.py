"""One bucket, one installation: a mark in the bucket names the database whose rows name its objects.

The sweep of a second installation on the same bucket would delete every object that its own database does not name,
which is all of the first one's.
"""

import hashlib
import json
import tempfile
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.installation import Installation
from worker.errors import AstegniError
from worker.storage.store import ObjectStore

MARK = "videos/whiteboard/.owner"


class ForeignBucket(AstegniError):
    """The bucket belongs to another installation: nothing is written to it or removed from it."""

    code, title, status = "foreign-bucket", "Bucket of another installation", 409


def installation_id(session: Session) -> UUID:
    """The id of this database, created with its tables."""
    return session.scalars(select(Installation.id)).one()


def require_own_bucket(store: ObjectStore, installation: UUID) -> None:
    """Raise ForeignBucket when the mark is another's; mark a bucket that has none. Idempotent.

    If two installations mark it at the same moment, the later mark wins and the other installation is rejected.
    """
    if _is_marked(store, installation):
        return
    if store.stat(MARK) is None:
        _write_mark(store, installation)
    if not _is_marked(store, installation):
        raise ForeignBucket(
            f"The bucket belongs to another installation: its object {MARK} names another database. Set "
            "BACKBLAZE_BUCKET_NAME to a bucket of this installation's own; only if the other one is gone, run "
            "`astegni bucket take-over`."
        )


def take_over(store: ObjectStore, installation: UUID) -> None:
    """Make the bucket this installation's. An earlier owner is rejected from then on. Idempotent."""
    if not _is_marked(store, installation):
        store.delete(MARK)
        _write_mark(store, installation)


def _is_marked(store: ObjectStore, installation: UUID) -> bool:
    mark = store.stat(MARK)
    return mark is not None and mark.sha1 == hashlib.sha1(_content(installation), usedforsecurity=False).hexdigest()


def _write_mark(store: ObjectStore, installation: UUID) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "owner.json")
        path.write_bytes(_content(installation))
        store.upload(path, MARK, content_type="application/json")


def _content(installation: UUID) -> bytes:
    return json.dumps({"database": str(installation)}).encode()
