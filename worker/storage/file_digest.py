"""The SHA-1 of a file, which B2 stores with each object; it protects against damage, not against attackers."""

import hashlib
from pathlib import Path


def sha1_of(path: Path) -> str:
    """The SHA-1 of the file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
