"""A request that appends to an upload, and the progress of the upload."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.uploads import Upload


@dataclass(frozen=True)
class UploadProgress:
    """An upload and how many of its bytes have arrived."""

    upload: Upload
    offset: int

    @property
    def is_whole(self) -> bool:
        """Whether every byte has arrived, while no recording has all of them yet."""
        return self.upload.state == "open" and self.upload.length == self.offset


@dataclass(frozen=True)
class UploadPiece:
    """A request to append.

    It says where, how many bytes (None: unknown), the length of the upload if it is known now, and the recorder's
    marks.
    """

    offset: int
    size: int | None
    length: int | None = None
    marks: Sequence[dict[str, Any]] = ()
