"""One open store: its index, blobs and secrets, and the state that lasts as long as the process."""

import fcntl
import time
from pathlib import Path

from devstack.emulator.credentials import open_credential_store
from devstack.emulator.faults import Faults
from devstack.emulator.store.blobs import Blobs
from devstack.emulator.store.index import Index
from devstack.emulator.tokens import TokenSeal
from devstack.errors import AlreadyInUse

DAY = 86_400.0


class Emulator:
    """The store in folder `root`; `account_seconds` and `upload_seconds` are how long such tokens are valid.

    Raises AlreadyInUse when another process has the folder open: sweeping would remove the blobs that it is writing.
    """

    def __init__(self, root: Path, *, account_seconds: float = DAY, upload_seconds: float = DAY) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = (root / "lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise AlreadyInUse(f"{root} is in use by another emulator. Stop it, or choose another folder.") from None
        self.account_seconds = account_seconds
        self.upload_seconds = upload_seconds
        self.secrets = open_credential_store(root / "credentials.json")
        self.tokens = TokenSeal(bytes.fromhex(self.secrets.signing_key))
        self.faults = Faults()
        self.busy_uploads: set[str] = set()
        self.index = Index(root / "index.sqlite3")
        self.blobs = Blobs(root / "blobs")
        with self.index.transaction() as sql:
            self.blobs.sweep({row["blob"] for row in sql.execute("select blob from parts")})

    @property
    def account_id(self) -> str:
        """The id of the only account."""
        return self.secrets.account_id

    def close(self) -> None:
        """Release the folder."""
        self.index.close()
        self._lock.close()


def now_millis() -> int:
    """The current time in milliseconds since 1970, B2's unit."""
    return time.time_ns() // 1_000_000
