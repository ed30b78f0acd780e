"""Resumable uploads: create, read, continue. Everywhere the file is locked before the row."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from sqlalchemy.orm import Session

from models.uploads import Upload
from worker import clock
from worker.database import Database, Executor
from worker.errors import InvalidInput, TooLarge, Unavailable
from worker.limits.lease_rows import Bound
from worker.uploads.appender import Appender, CheckHead
from worker.uploads.digests import Digests
from worker.uploads.locked_upload import LockedUpload
from worker.uploads.spool import Spool
from worker.uploads.upload_errors import UploadGone, gone, misdirected, wrong_offset
from worker.uploads.upload_limits import UploadLimits, read_limits
from worker.uploads.upload_piece import UploadPiece, UploadProgress
from worker.uploads.upload_rows import NewUpload, create_upload, find_upload, go_on, reserve_more, upload_address
from worker.uploads.upload_upkeep import open_uploads_with_length

# Appends all bytes of a request while its upload is locked.
StoreAll = Callable[[Appender, LockedUpload], None]
# Reads what decides whether this person's upload with this id accepts a piece. Raises NotFound.
ReadLimits = Callable[[Executor, str, str], UploadLimits]


class Uploads:
    """The uploads of one spool; `largest` is the maximum size of one, `bound` what one person may have open.

    A recovered one can be continued for `retention` seconds.
    """

    def __init__(
        self,
        database: Database,
        spool: Spool,
        spool_id: str,
        *,
        largest: int,
        retention: float,
        bound: Bound,
        check_head: CheckHead,
    ) -> None:
        self._database = database
        self._spool = spool
        self._spool_id = spool_id
        self._largest = largest
        self._retention = timedelta(seconds=retention)
        self._bound = bound
        self._check_head = check_head
        self._digests = Digests()

    def new_id(self) -> str:
        """A new id: 128 random bits."""
        return secrets.token_hex(16)

    def create(self, session: Session, new: NewUpload) -> Upload:
        """Create the row and the file. Raises TooLarge, OutOfSpace and TooManyRequests.

        A crash before the commit leaves a file without a row, which the sweep removes.
        """
        if new.length is not None and new.length > self._largest:
            raise TooLarge(f"The file is larger than {self._largest} bytes, the most that is taken.")
        upload = create_upload(session, new, self._bound)
        self._spool.require_space(self._promised(session))
        self._spool.upload(new.id).create()
        return upload

    def read(self, session: Session, upload_id: str, principal: str) -> UploadProgress:
        """The upload as it is, for its creator. Raises NotFound and MisdirectedRequest."""
        upload = find_upload(session, upload_id, principal)
        if self._is_elsewhere(upload) and upload.base_url is not None:
            raise misdirected(upload_address(upload))
        return self.progress(upload)

    def progress(self, upload: Upload) -> UploadProgress:
        """How many bytes have arrived: the size of its file or, without one, what its recording has."""
        offset = upload.recorded_bytes
        if upload.state in {"open", "recovered"} and upload.spool_id == self._spool_id:
            with suppress(UploadGone):
                offset = self._spool.upload(upload.id).size()
        return UploadProgress(upload, offset)

    def take_over(self, upload_id: str, principal: str) -> UploadProgress:
        """The offset at which the upload continues; a request still appending to it can store nothing more.

        All bytes before the offset are on the disk. Raises NotFound, UploadGone, MisdirectedRequest, Unavailable, Busy.
        """
        try:
            with self._spool.upload(upload_id).locked() as locked:
                with self._database.transaction() as session:
                    upload = _continued(find_upload(session, upload_id, principal))
                locked.take_turn()
                locked.sync()
                return UploadProgress(upload, locked.size())
        except UploadGone:
            return self._ended(upload_id, principal)

    def begin_piece(
        self,
        upload_id: str,
        principal: str,
        piece: UploadPiece,
        store: StoreAll | None = None,
        *,
        read: ReadLimits = read_limits,
    ) -> Appender | UploadProgress:
        """Prepare to append a piece, replacing any other request; returns the progress if the upload is complete.

        `store` appends all bytes of the request before the lock is released, if they are here already. `read` reads the
        row. Raises WrongOffset, TooLarge, OutOfSpace, TooManyRequests, NotFound, UploadGone, MisdirectedRequest,
        Unavailable, Busy.
        """
        try:
            with self._spool.upload(upload_id).locked() as locked:
                length = self._admit(upload_id, principal, piece, locked.size(), read)
                appender = self._begin(locked, upload_id, length, piece)
                if store is not None:
                    store(appender, locked)
                return appender
        except UploadGone:
            progress = self._ended(upload_id, principal)
            if progress.offset != piece.offset or piece.size:
                raise wrong_offset(progress.offset) from None
            return progress

    def end_piece(self, upload_id: str, appender: Appender) -> None:
        """Keep the digest for the next piece, whether or not this one succeeded."""
        if appender.digest is not None and not appender.is_whole:
            self._digests.keep(upload_id, appender.digest)

    def _admit(self, upload_id: str, principal: str, piece: UploadPiece, size: int, read: ReadLimits) -> int | None:
        """Check the piece and write its changes to the row; returns the length of the upload, if it is known.

        Most pieces leave the row unchanged and cost one statement. The caller has locked the file.
        """
        with self._database.statement() as statement:
            known = read(statement, upload_id, principal)
        if known.state == "terminated":
            raise gone()
        if piece.offset != size:
            raise wrong_offset(size)
        length = self._new_length(known, piece)
        expected = size + (piece.size or 0)
        most = known.length or length or self._largest
        if expected > most:
            raise TooLarge(f"The upload has at most {most} bytes; {size} have arrived.")
        needs_more = known.length is None and max(expected, length or 0) > known.reserved
        if known.state == "recovered" or length is not None or piece.marks or needs_more:
            with self._database.transaction() as session:
                upload = _continued(find_upload(session, upload_id, principal, lock=True))
                go_on(upload, length, piece.marks)
                if needs_more:
                    reserve_more(session, upload, expected, self._bound)
        return known.length or length

    def _new_length(self, known: UploadLimits, piece: UploadPiece) -> int | None:
        """The length that this piece sets. Raises InvalidInput when it differs from the known one."""
        if piece.length is None or piece.length == known.length:
            return None
        if known.length is not None:
            raise InvalidInput(f"The upload has {known.length} bytes; its length cannot be changed.")
        if piece.length < piece.offset or piece.length == 0:
            raise InvalidInput(f"{piece.offset} bytes have arrived, more than Upload-Length.")
        if piece.length > self._largest:
            raise TooLarge(f"The upload is larger than {self._largest} bytes, the most that is taken.")
        return piece.length

    def _begin(self, locked: LockedUpload, upload_id: str, length: int | None, piece: UploadPiece) -> Appender:
        # An empty piece, as at the end of a recording, leaves the bytes as they are.
        copied = locked.size() if piece.size != 0 and locked.is_shared else 0
        self._spool.require_space(copied + (piece.size or 0))
        if copied:
            locked.own_inode()
        return Appender(
            self._spool.upload(upload_id),
            locked.take_turn(),
            piece.offset,
            length or self._largest,
            length_known=length is not None,
            digest=self._digests.take(upload_id, piece.offset),
            check_head=self._check_head,
            require_space=self._spool.require_space,
        )

    def _ended(self, upload_id: str, principal: str) -> UploadProgress:
        """The progress of an upload without a file here: it is finished.

        Raises NotFound, UploadGone, MisdirectedRequest, Unavailable.
        """
        with self._database.transaction() as session:
            upload = self.read(session, upload_id, principal).upload
        if self._is_elsewhere(upload):
            raise Unavailable(
                f"The bytes of this upload are in the spool {upload.spool_id}; this process has the spool "
                f"{self._spool_id}. Ask again: another process may have it.",
                spool=upload.spool_id,
            )
        if upload.state == "open":
            # The file of an open upload is never removed, and comes back with its disk.
            raise Unavailable(
                f"The spool {self._spool_id} does not have the bytes of this upload now: its disk may not be mounted. "
                "Ask again.",
                spool=upload.spool_id,
            )
        if upload.state != "finished":
            raise gone()
        return UploadProgress(upload, upload.recorded_bytes)

    def _is_elsewhere(self, upload: Upload) -> bool:
        """Whether its bytes are in a spool that this process does not have, where they can still be continued."""
        if upload.spool_id == self._spool_id:
            return False
        # After that time the sweep of its spool has removed the file; nothing else tells us if the machine was lost.
        is_kept = upload.state == "recovered" and upload.updated_at > clock.now() - self._retention
        return upload.state == "open" or is_kept

    def _promised(self, session: Session) -> int:
        """Bytes of the open uploads of known length that have not arrived yet."""
        missing = 0
        for upload_id, length in open_uploads_with_length(session, self._spool_id):
            try:
                missing += length - self._spool.upload(upload_id).size()
            except UploadGone:
                # Created a moment ago, so it has no file yet.
                missing += length
        return missing


def _continued(upload: Upload) -> Upload:
    """The upload; raises UploadGone when its recording was deleted, and its file waits for the sweep."""
    if upload.state == "terminated":
        raise gone()
    return upload
