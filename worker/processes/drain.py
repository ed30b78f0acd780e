"""Drain workers: they take no new jobs, and finish those that they have. By Celery's remote control, and the ledger.

A drained worker stays alive and responds; it works again only after a restart, not after a reconnection.
"""

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError

from worker.database import Database
from worker.errors import Conflict, NotFound, Unavailable
from worker.jobs.operations.reading import count_running_on

# Seconds that a worker has to answer: its main process does nothing that takes long, but the machine may be busy.
_ANSWER = 10.0
# Seconds to collect answers: only when no more arrive is the list of workers complete. Repeated, since a worker that
# has just started may miss the first question.
_ROLL_CALL, _ROLL_CALLS = 3.0, 3
_PAUSE = 0.5


@dataclass(frozen=True)
class LiveWorker:
    """A worker's name as Flower shows it, and the beginning of its process names in the ledger."""

    name: str
    process: str


def broker_errors(app: Celery) -> tuple[type[Exception], ...]:
    """What is raised when the broker does not answer, or refuses: kombu's own error, or its client's."""
    connection = app.connection_for_write()
    # RabbitMQ's refusal of a login is among the errors of channels.
    return (OperationalError, *connection.connection_errors, *connection.channel_errors)


def find_workers(app: Celery, names: Collection[str], *, host: str) -> list[LiveWorker]:
    """The workers with these names that answer; without names, all those on `host`.

    Raises NotFound, and Conflict for two workers of one name, whose jobs could not be distinguished.
    """
    answers: dict[str, int] = {}
    for _call in range(_ROLL_CALLS):
        answers |= _process_ids(app)
        wanted = names or [name for name in answers if name.partition("@")[2] == host]
        missing = [name for name in wanted if name not in answers]
        if wanted and not missing:
            break
    else:
        others = ", ".join(sorted(answers)) or "none"
        raise NotFound(f"No worker {', '.join(missing) or f'of host {host}'} answers. Workers that do: {others}.")
    return [LiveWorker(name, f"{name.partition('@')[2]}:{answers[name]}:") for name in sorted(wanted)]


def _process_ids(app: Celery) -> dict[str, int]:
    """The process id of each worker that answers now. Celery's `inspect` would keep only one answer per name."""
    process_ids: dict[str, int] = {}
    for reply in app.control.broadcast("stats", reply=True, timeout=_ROLL_CALL):
        for name, stats in reply.items():
            if process_ids.setdefault(name, stats["pid"]) != stats["pid"]:
                raise Conflict(
                    f"Two workers are called {name}. Stop one of them, and start it with another name: `astegni worker "
                    "--name`."
                )
    return process_ids


def stop_consuming(app: Celery, workers: Collection[LiveWorker]) -> None:
    """Cancel every consumer of these workers. Raises Unavailable when one does not confirm it. Idempotent."""
    names = [worker.name for worker in workers]
    consumed: Mapping[str, Any] = _inspect(app, names).active_queues() or {}
    _require_all(names, consumed)
    for name, queues in consumed.items():
        for queue in queues:
            replies = app.control.cancel_consumer(
                queue["name"], destination=[name], reply=True, timeout=_ANSWER, limit=1
            )
            _require_all([name], {answered for reply in replies for answered in reply})


def wait_until_idle(
    app: Celery, database: Database, workers: Collection[LiveWorker], *, seconds: float, report: Callable[[int], None]
) -> None:
    """Wait until the workers hold no message and run no job; `report` gets the number left whenever it changes.

    The broker may restart meanwhile. Raises Unavailable after `seconds`.
    """
    names, until, reported = [worker.name for worker in workers], time.monotonic() + seconds, -1
    while True:
        held = _held(app, names) + _running(database, workers)
        if held == 0:
            return
        if held != reported:
            report(held)
            reported = held
        if time.monotonic() > until:
            raise Unavailable(
                f"{', '.join(names)}: {held} jobs are left after {seconds:.0f} s. No new ones are taken; wait again."
            )
        time.sleep(_PAUSE)


def _held(app: Celery, names: list[str]) -> int:
    """How many messages children process or wait to process. A worker that does not answer counts as one."""
    inspect = _inspect(app, names)
    active: dict[str, Any] = {}
    reserved: dict[str, Any] = {}
    with suppress(*broker_errors(app)):
        active, reserved = inspect.active() or {}, inspect.reserved() or {}
    silent = len({*names} - {*active}) + len({*names} - {*reserved})
    return silent + sum(map(len, active.values())) + sum(map(len, reserved.values()))


def _running(database: Database, workers: Collection[LiveWorker]) -> int:
    """Count the runs whose messages Celery has already forgotten: they may still write."""
    with database.transaction() as session:
        return sum(count_running_on(session, worker.process) for worker in workers)


def _inspect(app: Celery, names: list[str]) -> Any:
    return app.control.inspect(destination=names, timeout=_ANSWER, limit=len(names))


def _require_all(names: Collection[str], answers: Collection[str]) -> None:
    silent = [name for name in names if name not in answers]
    if silent:
        raise Unavailable(f"{', '.join(silent)} did not answer in {_ANSWER:g} s; try again.")
