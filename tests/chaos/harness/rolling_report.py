"""The results of a rolling restart: nothing lost, and no attempt charged."""

from collections import Counter

from tests.chaos.harness.clients import Clients
from tests.chaos.harness.environment import Environment
from tests.chaos.harness.report import Claim
from tests.chaos.harness.rolling_clients import BoardsAndMessages
from tests.chaos.harness.uploads.clients import SentUpload

_OUTCOMES = "SELECT outcome, count(*) AS n FROM job_attempts GROUP BY outcome ORDER BY outcome"
_CHARGED = "SELECT kind, state, attempt, error FROM jobs WHERE attempt > 1 OR state IN ('failed', 'dead')"
_STROKES = "SELECT client_id FROM whiteboard_canvas_data"
_UPLOADS = """
    SELECT u.id::text FROM uploads u JOIN whiteboard_session_recordings r ON r.id = u.recording_id WHERE r.is_available
"""


def check_rolling(
    environment: Environment,
    clients: Clients,
    uploads: list[SentUpload],
    others: BoardsAndMessages,
    ends: Counter[tuple[str, int]],
) -> list[Claim]:
    """Every claim about the run."""
    ask = environment.watchdog.ask
    jobs = {row["id"]: row["state"] for row in ask("SELECT id::text, state FROM jobs")}
    submitted = {line["job"] for line in environment.event_log.read("submitted")}
    lost = [job for job in submitted | others.snapshots if jobs.get(job) != "succeeded"]
    charged = [dict(row) for row in ask(_CHARGED)]
    outcomes = {row["outcome"]: row["n"] for row in ask(_OUTCOMES)}
    sent = {row["id"] for row in ask("SELECT id FROM deliveries WHERE state = 'sent'")}
    available = {row["id"] for row in ask(_UPLOADS)}
    unplayable = [upload.upload_id for upload in uploads if upload.acknowledged and upload.upload_id not in available]
    violations = [violation for upload in uploads for violation in upload.violations]
    strokes = {row["client_id"] for row in ask(_STROKES)}
    restarts = ", ".join(f"{kind} {n} times (exit {code})" for (kind, code), n in sorted(ends.items()))
    return [
        Claim("everything ended in order when it was asked to", restarts, {code for _kind, code in ends} == {0}),
        Claim(
            "every order, recording and snapshot succeeded",
            f"{len(submitted)} and {len(others.snapshots)} asked, lost: {lost}",
            not lost and len(submitted) == clients.request_count,
        ),
        Claim("no attempt was charged", f"{outcomes}; charged: {charged}", not charged),
        Claim("runs succeeded or were released", str(outcomes), outcomes.keys() <= {"succeeded", "released"}),
        Claim(
            "every upload in pieces became a recording that plays",
            f"{len(uploads)} uploads, lost: {unplayable}, wrong: {violations}",
            not unplayable and not violations,
        ),
        Claim(
            "every stroke that was acknowledged is stored",
            f"{len(others.strokes)} strokes, {len(others.strokes - strokes)} lost",
            others.strokes <= strokes,
        ),
        Claim(
            "every message was sent",
            f"{len(others.deliveries)} messages, {len(others.deliveries - sent)} lost",
            others.deliveries <= sent,
        ),
    ]
