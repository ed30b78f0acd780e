"""The SHA-1 of uploads, computed as they arrive, so that registering them need not read all bytes again."""

import hashlib
import threading
from collections import OrderedDict

# Uploads whose digest a process keeps; the bytes of an evicted one are read again at its end.
_MOST = 2000


class Digest:
    """The SHA-1 of the first `offset` bytes of an upload."""

    def __init__(self) -> None:
        self.offset = 0
        self._sha1 = hashlib.sha1(usedforsecurity=False)

    def update(self, data: bytes) -> None:
        """Add the next bytes."""
        self._sha1.update(data)
        self.offset += len(data)

    def hexdigest(self) -> str:
        """The digest in lower-case hex."""
        return self._sha1.hexdigest()


class Digests:
    """The digests of one process, between the requests of an upload. Thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Digest] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, upload_id: str, offset: int) -> Digest | None:
        """The digest at this offset; None when another process stored bytes before it."""
        with self._lock:
            digest = self._kept.pop(upload_id, None)
        if digest is not None and digest.offset == offset:
            return digest
        return Digest() if offset == 0 else None

    def keep(self, upload_id: str, digest: Digest) -> None:
        """Keep the digest for the next request."""
        with self._lock:
            self._kept[upload_id] = digest
            if len(self._kept) > _MOST:
                self._kept.popitem(last=False)
