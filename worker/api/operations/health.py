"""For operators: `/healthz` (the process is alive), `/readyz` (it can work), `/metrics`.

Open to everybody who can reach the port, since they contain no names and no secrets. The proxy should still not expose
`/metrics` to the internet.
"""

import os
from collections.abc import Mapping
from typing import Any, cast

from fastapi import APIRouter, Request
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError
from starlette.responses import Response

from worker.api.http.problems import responses
from worker.api.operations.broker_state import broker_state
from worker.api.operations.metrics import Metrics
from worker.api.services import Services, ServicesOf
from worker.database import DATABASE_ERRORS
from worker.errors import Unavailable
from worker.jobs.operations.silent_parts import read_silent_parts
from worker.migrate import newest_revision
from worker.queue_names import queue_names
from worker.settings import Settings
from worker.workflows.uploads.spools import unreachable_spools

router = APIRouter(tags=["health"])

_OK = "ok"
# Reported, but not needed for readiness: without the broker, or a worker, a POST still queues its job.
_INFORMATIVE = frozenset({"broker", "processes"})


@router.get("/healthz", summary="Is the process alive?")
async def get_healthz() -> dict[str, str]:
    """200 as long as the process can respond."""
    return {"status": _OK}


@router.get("/readyz", responses=responses(503), summary="Can it work?")
def get_readyz(services: ServicesOf) -> dict[str, Any]:
    """200 if the database responds and has this release's or newer tables, and the spool is writable; otherwise 503."""
    checks = {
        "database": _database(services),
        "spool": _spool(services.settings),
        "broker": broker_state(services.settings),
        "processes": _processes(services),
    }
    if not _ready(checks):
        raise Unavailable("This process cannot work now; see `checks`.", checks=checks)
    return {"status": "ready", "checks": checks}


@router.get("/metrics", response_class=Response, summary="Figures for Prometheus")
def get_metrics(request: Request) -> Response:
    """Requests of this process and the state of the ledger, in Prometheus's text format."""
    metrics = cast("Metrics", request.app.state.metrics)
    return Response(metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _ready(checks: Mapping[str, str]) -> bool:
    return all(state == _OK for name, state in checks.items() if name not in _INFORMATIVE)


def _database(services: Services) -> str:
    try:
        with services.database.transaction() as session:
            revision = session.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:
        return "has no tables of ours; run `astegni migrate`"
    except SQLAlchemyError:
        return "does not answer"
    newest = newest_revision()
    if revision == newest or _is_newer(revision, newest):
        return _OK
    return f"is at revision {revision}, this release needs {newest}"


def _is_newer(revision: str | None, newest: str | None) -> bool:
    """Whether the next release has migrated the tables already, with which this one still works (CONTRIBUTING.md).

    An upgrade migrates first. If its old APIs were not ready from then on, no API would be until the first new one is.
    """
    numbers = [each for each in (revision, newest) if each is not None and each.isdecimal()]
    return len(numbers) == 2 and int(numbers[0]) > int(numbers[1])


def _processes(services: Services) -> str:
    try:
        with services.database.transaction() as session:
            silent = read_silent_parts(session, services.settings, queue_names(services.settings))
            unreachable = unreachable_spools(session, interval=services.settings.heartbeat_interval)
    except DATABASE_ERRORS:
        return "cannot be seen: the database does not answer"
    if silent is None:
        return "none has run within a day"
    return "; ".join([*silent, *unreachable]) or _OK


def _spool(settings: Settings) -> str:
    try:
        # The first upload creates the directory.
        if not settings.spool_dir.exists():
            return _OK
    except OSError as error:
        # As of a network volume whose server has forgotten it.
        return f"cannot be reached: {error.strerror}"
    return _OK if os.access(settings.spool_dir, os.W_OK | os.X_OK) else "cannot be written"
