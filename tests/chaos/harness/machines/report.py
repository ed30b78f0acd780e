"""The results of a run: capacity, and that nothing was lost and nothing happened twice."""

from collections import Counter
from pathlib import Path

from tests.chaos.harness.machines.run import ScaleRun
from tests.chaos.harness.machines.turn import fairness, together
from tests.chaos.harness.report import Claim
from worker.storage.store import ObjectStore

# So many times one machine's capacity is the least that three must have.
TIMES = 2.5

_RECORDINGS = """
    SELECT r.id, r.is_available, s.object_name, s.sha1
      FROM whiteboard_session_recordings r
      LEFT JOIN recording_renditions s ON s.recording_id = r.id AND s.name = 'source' AND s.state = 'ready'
"""
_BAD = "SELECT kind, queue, state, error FROM jobs WHERE principal <> 'beat' AND state <> 'succeeded'"
_OUTCOMES = "SELECT outcome, count(*) AS n FROM job_attempts GROUP BY outcome"
_STATES = "SELECT state, count(*) AS n FROM deliveries GROUP BY state"
_NOT_ONCE = """
    SELECT d.id FROM deliveries d LEFT JOIN notifications n ON n.delivery_id = d.id
     WHERE d.channel = 'in_app' GROUP BY d.id HAVING count(n.id) <> 1
"""
_MAILS = "SELECT count(*) AS n, coalesce(sum(attempts - 1), 0)::int AS more FROM deliveries WHERE channel = 'email'"


def check_scale(run: ScaleRun, mails: Path) -> list[Claim]:
    """Every claim about the run; `mails` has the Message-ID of each mail that arrived, after a first line."""
    return [_capacity(run), _fairness(run), *_bytes(run), *_jobs(run), *_reminders(run, mails), *_loss(run)]


def _capacity(run: ScaleRun) -> Claim:
    single, several = together(run.alone), together(run.all)
    times = several.capacity / single.capacity
    return Claim(
        f"{several.machines} machines have ≥ {TIMES} times the capacity of one, by processor time a job",
        f"{times:.2f} ({1000 * single.per_job:.0f} and {1000 * several.per_job:.0f} ms a job)",
        times >= TIMES,
        timed=True,
    )


def _fairness(run: ScaleRun) -> Claim:
    fair = fairness(together(run.all).waits)
    return Claim(
        "the others wait no longer than the tutor who brings ten times as much (medians)",
        f"{fair.others:.1f} s (of each tutor {fair.least:.1f} to {fair.most:.1f}), and {fair.busy:.1f} s",
        fair.others <= fair.busy,
        timed=True,
    )


def _bytes(run: ScaleRun) -> list[Claim]:
    sent = {recording.recording_id: recording for work in run.work for recording in work.recordings}
    rows = {row["id"]: row for row in run.environment.watchdog.ask(_RECORDINGS)}
    stored = {each.name: each.sha1 for each in ObjectStore.from_settings(run.environment.settings).list("videos/")}
    lost = [
        number
        for number, recording in sent.items()
        if number not in rows or stored.get(rows[number]["object_name"]) != recording.sha1
    ]
    unplayable = [number for number in sent if number not in rows or not rows[number]["is_available"]]
    left = [file for machine in run.machines for file in machine.spooled()]
    return [
        Claim("every acknowledged byte is on B2", f"{len(sent)} recordings, lost: {lost}", bool(sent) and not lost),
        Claim("every recording can be played", f"not: {unplayable}", not unplayable),
        Claim("no spool holds a file", f"left: {left}", not left),
    ]


def _jobs(run: ScaleRun) -> list[Claim]:
    ask = run.environment.watchdog.ask
    known = {row["id"] for row in ask("SELECT id::text FROM jobs")}
    asked = {job for work in run.work for job in work.jobs}
    bad, violations = ask(_BAD), run.environment.watchdog.violations()
    outcomes = Counter({row["outcome"]: row["n"] for row in ask(_OUTCOMES)})
    return [
        Claim(
            "every job ended well",
            f"{len(known)} jobs; lost {len(asked - known)}, bad: {bad}",
            asked <= known and not bad,
        ),
        Claim("every job ended once, with one effect", f"{violations or dict(outcomes)}", not violations),
    ]


def _reminders(run: ScaleRun, mails: Path) -> list[Claim]:
    ask = run.environment.watchdog.ask
    states = {row["state"]: row["n"] for row in ask(_STATES)}
    not_once = ask(_NOT_ONCE)
    arrived = mails.read_text().split()[1:]
    (expected,) = ask(_MAILS)
    twice = len(arrived) - len(set(arrived))
    return [
        Claim("every reminder was sent", str(states), states.keys() == {"sent"}),
        Claim("every reminder in the app is there once", f"not: {not_once}", not not_once),
        Claim(
            "every mail arrived, and once unless its worker was killed before it noted it (same Message-ID)",
            f"{len(set(arrived))} of {expected['n']}, {twice} repeated, {expected['more']} attempts more",
            len(set(arrived)) == expected["n"] and twice <= expected["more"],
        ),
    ]


def _loss(run: ScaleRun) -> list[Claim]:
    name = run.machines[1].name
    return [
        Claim(
            "the lost machine's spool is named, and only its work waits",
            "; ".join(run.loss.sentences),
            run.loss.recordings > 0 and len(run.loss.sentences) == 1 and f"the spool {name} " in run.loss.sentences[0],
        )
    ]
