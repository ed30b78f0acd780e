"""One request that appends to an upload, until another one replaces it."""

from collections.abc import Callable
from pathlib import Path

from worker.errors import TooLarge
from worker.uploads.digests import Digest
from worker.uploads.locked_upload import LockedUpload
from worker.uploads.upload_file import UploadFile

# Checks the first bytes of the upload; the flag says whether more will follow. Raises an error to reject them.
CheckHead = Callable[[bytes, bool], None]
# How many of the first bytes are checked.
HEAD_BYTES = 1024


class Appender:
    """Appends at `offset` to an upload of at most `most` bytes, with the token of this request's turn."""

    def __init__(
        self,
        file: UploadFile,
        token: str,
        offset: int,
        most: int,
        *,
        length_known: bool,
        digest: Digest | None,
        check_head: CheckHead,
        require_space: Callable[[int], None],
    ) -> None:
        self.offset = offset
        self.most = most
        self._length_known = length_known
        self._file = file
        self._token = token
        # The digest of all bytes before `offset`; None when this process has not seen them.
        self.digest = digest
        self._check_head = check_head
        self._require_space = require_space
        self._is_head_checked = offset >= HEAD_BYTES

    @property
    def folder(self) -> Path:
        """The folder of the spool."""
        return self._file.path.parent

    @property
    def is_whole(self) -> bool:
        """Whether the length of the upload is known and reached."""
        return self._length_known and self.offset == self.most

    def require_room(self, size: int) -> None:
        """Raise TooLarge when `size` more bytes exceed the upload's limit, OutOfSpace when the disk is full."""
        if self.offset + size > self.most:
            raise TooLarge(f"The upload has at most {self.most} bytes; {self.offset} have arrived.")
        self._require_space(size)

    def store(self, data: bytes, *, last: bool = False) -> None:
        """Append the bytes; with `last`, they and all bytes before them are on the disk when it returns.

        Raises UploadTakenOver, WrongOffset, UploadGone, Busy, and the errors of `require_room`.
        """
        if not data and not last:
            return
        self.require_room(len(data))
        with self._file.locked() as locked:
            locked.require_turn(self._token)
            self._append(locked, data)
            if last:
                locked.sync()

    def store_all(self, locked: LockedUpload, data: bytes) -> None:
        """Append all bytes of the request under the lock with which it began; they are on the disk when it returns."""
        self.require_room(len(data))
        self._append(locked, data)
        locked.sync()

    def _append(self, locked: LockedUpload, data: bytes) -> None:
        if not data:
            return
        self._check_first(locked, data)
        locked.append(data, self.offset)
        self.offset += len(data)
        if self.digest is not None:
            self.digest.update(data)

    def _check_first(self, locked: LockedUpload, data: bytes) -> None:
        if self._is_head_checked:
            return
        head = locked.head(self.offset) + data[: HEAD_BYTES - self.offset]
        self._check_head(head, self.offset + len(data) < self.most)
        self._is_head_checked = len(head) >= HEAD_BYTES
