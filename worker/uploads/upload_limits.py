"""The columns that decide whether an upload accepts another piece; read for each piece."""

from dataclasses import dataclass

from sqlalchemy import text

from worker.database import Executor
from worker.errors import NotFound

# Executed for each piece; textual SQL, since an ORM statement would cost as much as the rest of the piece.
_LIMITS = text("SELECT state, length, reserved FROM uploads WHERE id = :id AND principal = :principal")
# For a statement that reads other columns too; NULL if there is no such upload.
LIMIT_COLUMNS = "upload.state, upload.length, upload.reserved"
LIMIT_JOIN = "LEFT JOIN uploads upload ON upload.id = :upload_id AND upload.principal = :principal"


@dataclass(frozen=True)
class UploadLimits:
    """The columns that decide whether an upload accepts another piece."""

    state: str
    length: int | None
    reserved: int


def read_limits(executor: Executor, upload_id: str, principal: str) -> UploadLimits:
    """The limits of an upload; only for its creator. Raises NotFound for everybody else."""
    row = executor.execute(_LIMITS, {"id": upload_id, "principal": principal}).fetchone()
    if row is None:
        raise NotFound("There is no such upload.")
    return UploadLimits(row.state, row.length, row.reserved)
