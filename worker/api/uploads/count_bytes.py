"""Count received bytes whose number no header stated."""

from contextlib import suppress

from worker.access.callers import Caller
from worker.api.services import Services
from worker.database import DATABASE_UNAVAILABLE


def count_bytes(services: Services, caller: Caller, size: int) -> None:
    """Count them, however the upload ended; while the database is unavailable they are not counted."""
    with suppress(*DATABASE_UNAVAILABLE), services.database.statement() as statement:
        services.counters.add(statement, services.rates.upload_bytes, caller.principal, size)
