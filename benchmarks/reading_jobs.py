"""How fast the API returns jobs when there are a million of them."""

import time

from benchmarks.harness.figure import Figure, Limit, Reading, percentile
from benchmarks.harness.scale import Scale
from benchmarks.material.full_stack import FullStack, running_full_stack
from benchmarks.material.million import fill_ledger
from benchmarks.material.sending import Client
from worker.access.issue_token import issue_token

_LIMIT = Limit("value", "<", 20.0)
_WARM_UP = 20
_QUERIES = (
    "",
    "state=succeeded",
    "state=dead",
    "state=running",
    "kind=recordings.ingest",
    "kind=upkeep.prune_ledger",
    "subject=recording:{subject}",
    "state=failed&kind=recordings.ingest",
    "state=queued&kind=recordings.remove_files",
    "state=succeeded&subject=recording:{subject}",
    "cursor={cursor}",
    "limit=200",
)


def measure_reading(scale: Scale) -> Figure:
    """Measure one job by its id, and lists by every filter, as an operator and as a user."""
    figure = Figure(f"API: reading jobs, {scale.table_rows:,} rows in `jobs`, one client")
    with running_full_stack() as full_stack:
        with full_stack.connect() as connection:
            fill_ledger(connection, scale.table_rows)
        user = issue_token(full_stack.stack.settings.signing_key, sub=1, role="tutor", role_ids=None)
        for who, token in (("operator", full_stack.operator_token), ("user", user)):
            with Client(full_stack.address, token) as client:
                _measure(figure, full_stack, client, who, scale)
    figure.notes.append(
        "Each p95 is over its requests, one after another on one connection, from the request's first byte to the "
        "response's last. Pages have 50 jobs if no limit is given, and every job includes its attempts."
    )
    return figure


def _measure(figure: Figure, full_stack: FullStack, client: Client, who: str, scale: Scale) -> None:
    mine = "TRUE" if who == "operator" else "principal = 'user:1'"
    with full_stack.connect() as connection:
        rows = connection.execute(
            f"SELECT id, subject FROM jobs WHERE {mine} ORDER BY id LIMIT %s",  # noqa: S608 - one of two words
            [scale.requests],
        ).fetchall()
    ids = [f"/v1/jobs/{row[0]}" for row in rows]
    figure.readings.append(_p95(f"{who}: GET /v1/jobs/{{id}}", client, ids, scale.requests))
    cursor = _far_cursor(client)
    for query in _QUERIES:
        paths = [f"/v1/jobs?{query.format(subject=row[1].partition(':')[2], cursor=cursor)}" for row in rows]
        shown = query.format(subject="N", cursor="…")
        figure.readings.append(_p95(f"{who}: GET /v1/jobs?{shown}", client, paths, scale.requests))


def _far_cursor(client: Client) -> str:
    """The cursor of a later page."""
    return str(client.get("/v1/jobs?limit=2")["next"])


def _p95(what: str, client: Client, paths: list[str], requests: int) -> Reading:
    took: list[float] = []
    for number in range(_WARM_UP + requests):
        began = time.perf_counter()
        client.get(paths[number % len(paths)])
        took.append((time.perf_counter() - began) * 1000)
    counted = took[_WARM_UP:]
    return Reading(f"{what}, p95", percentile(counted, 95), "ms", (min(counted), max(counted)), limit=_LIMIT)
