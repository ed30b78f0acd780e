"""Requests to the API of one database: lists of jobs, and strokes that are appended to a new page."""

import json

from benchmarks.rows.side import Side, Took, milliseconds
from benchmarks.strokes import stroke_batch

_REQUESTS, _BATCHES = 4, 4
_LISTS = ("", "state=dead", "kind=recordings.ingest", "subject=recording:1000")
_BODIES = [json.dumps({"strokes": stroke_batch(number)}).encode() for number in range(_BATCHES)]
_BOARD = """
    UPDATE whiteboard_sessions SET status = 'in_progress'
     WHERE id = (SELECT max(id) FROM whiteboard_sessions WHERE host_profile_id = 1) RETURNING id
"""


def measure_requests(side: Side) -> Took:
    """Whole requests, one after another on one connection."""
    took = {
        f"{who}: GET /v1/jobs?{query}": milliseconds(lambda: client.get(f"/v1/jobs?{query}"), times=_REQUESTS)  # noqa: B023 - called at once
        for who, client in (("operator", side.operator), ("tutor", side.tutor))
        for query in _LISTS
    }
    return took | {"append 100 strokes to a page": _append(side)}


def _append(side: Side) -> list[float]:
    (session_id,) = side.connection.execute(_BOARD).fetchone() or (0,)
    page = side.tutor.post(f"/v1/whiteboard/sessions/{session_id}/pages")["id"]
    bodies = iter(_BODIES)
    path = f"/v1/whiteboard/pages/{page}/strokes"
    return milliseconds(lambda: side.tutor.post(path, next(bodies), status=200), times=_BATCHES)
