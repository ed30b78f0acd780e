"""The secrets of the emulator: created at the first start, stored in its folder, readable by the owner only."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from devstack.json_line import JsonLine


@dataclass(frozen=True)
class Credentials(JsonLine):
    """What a client needs: the realm's URL, the master key, and the bucket that exists."""

    realm: str
    key_id: str
    application_key: str
    bucket: str


@dataclass(frozen=True)
class CredentialStore:
    """The secrets of one store: its account, the master key, and the key that signs tokens."""

    account_id: str
    application_key: str
    signing_key: str

    @property
    def key_id(self) -> str:
        """As at Backblaze, the id of the master key is the account's."""
        return self.account_id


def open_credential_store(path: Path) -> CredentialStore:
    """The secrets stored at `path`, created when missing."""
    if not path.exists():
        _write(path, CredentialStore(secrets.token_hex(6), "K000" + secrets.token_urlsafe(20), secrets.token_hex(32)))
    return CredentialStore(**json.loads(path.read_text()))


def _write(path: Path, store: CredentialStore) -> None:
    """Write to another name first: a process that is killed here must not leave half a file."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600, exist_ok=False)
    with draft.open("w") as file:
        json.dump(asdict(store), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
