"""One of the two databases that are compared, and how a step's time is taken."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from benchmarks.material.full_stack import running_api
from benchmarks.material.sending import Client
from worker.access.issue_token import issue_operator_token, issue_token
from worker.database import Database
from worker.settings import Settings

# Milliseconds of each call of what a turn has measured.
Took = dict[str, list[float]]


@dataclass(frozen=True)
class Side:
    """A database with so many rows: the product's connections, one for preparing, and clients of its API."""

    rows: int
    # Rows of a batch of the pruner: as many as are due on both sides.
    batch: int
    settings: Settings
    database: Database
    connection: psycopg.Connection[Any]
    tutor: Client
    operator: Client


@contextmanager
def opened_side(settings: Settings, url: str, rows: int, *, batch: int) -> Iterator[Side]:
    """Open connections to the filled database at `url`, and run an API on it."""
    settings = settings.model_copy(update={"database_url": url})
    key, departments = settings.signing_key, settings.operator_departments
    tutor = issue_token(key, sub=1, role="tutor", role_ids={"tutor": 1}, expires_in=7200)
    operator = issue_operator_token(key, admin_id=1, departments=departments, expires_in=7200)
    with ExitStack() as opened:
        database = Database(settings.sqlalchemy_url, pool_size=2)
        opened.callback(database.close)
        connection = opened.enter_context(psycopg.connect(url, autocommit=True))
        address, _process_id = opened.enter_context(running_api(settings, settings.spool_dir.parent))
        clients = (opened.enter_context(Client(address, token)) for token in (tutor, operator))
        yield Side(rows, batch, settings, database, connection, *clients)


def milliseconds(work: Callable[[], object], *, times: int = 1) -> list[float]:
    """Of each of so many calls."""
    took: list[float] = []
    for _time in range(times):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return took
