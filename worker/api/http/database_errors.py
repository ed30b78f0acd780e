"""Errors of the database that a client may meet, as errors of ours."""

from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled, SerializationFailure

from worker.errors import AstegniError, Busy, Unavailable
from worker.logs import get_logger

_log = get_logger(__name__)


def database_unavailable(error: Exception) -> AstegniError:
    """Log an error of the database (`worker.database.DATABASE_UNAVAILABLE`) and return the error for the response."""
    cause = getattr(error, "orig", None) or error
    problem = _of_database(cause)
    _log.warning(f"database_{problem.code}", error=type(cause).__name__)
    return problem


def _of_database(cause: BaseException) -> AstegniError:
    match cause:
        case LockNotAvailable() | DeadlockDetected() | SerializationFailure():
            return Busy("Another request is changing the same thing; nothing was changed by this one. Send it again.")
        case QueryCanceled():
            return Busy(
                "The database took too long for this request; nothing was changed. Send it again, or ask for less."
            )
        case _:
            return Unavailable("The database does not answer now; try again.")
