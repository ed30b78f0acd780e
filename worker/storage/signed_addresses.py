"""Addresses of objects that open without a header, for a limited time."""

from posixpath import dirname

from worker.storage.store import ObjectStore


class SignedAddresses:
    """Addresses that open for `seconds`, each with a token for the folder of its object.

    A token is requested once for each folder.
    """

    def __init__(self, store: ObjectStore, seconds: int) -> None:
        self._store = store
        self._seconds = seconds
        self._tokens: dict[str, str] = {}

    def of(self, name: str) -> str:
        """The address of this object."""
        folder = f"{dirname(name)}/"
        if folder not in self._tokens:
            self._tokens[folder] = self._store.authorize_download(folder, self._seconds)
        return self._store.signed_url(name, self._tokens[folder])
