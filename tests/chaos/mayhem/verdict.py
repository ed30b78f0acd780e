"""What the run has shown: each line a claim, what was found, and whether it holds."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.mayhem.campaign import Campaign
from tests.chaos.mayhem.orphans import media_processes
from tests.chaos.mayhem.recovery import RESUMPTION, percentile, recoveries, resumptions, runs_of
from worker.storage.store import ObjectStore

# Seconds, with production values.
RECOVERY = 60.0
PROMPT = 0.3
# The short run shares its machine with other tests. A POST that waits for the broker takes 5 s and more.
PROMPT_BESIDE_OTHERS = 1.0
RECOVERY_BESIDE_OTHERS = 16.0
# Faults that are good reasons for a POST to take longer.
_OTHER_REASONS = {"restart_database", "crash_database", "slow_lines"}

_HISTORY = """
SELECT job_id::text, before, after, token::text, worker, extract(epoch FROM at)::float AS at
  FROM chaos_history ORDER BY id
"""


@dataclass(frozen=True)
class Line:
    """One claim of the verdict."""

    claim: str
    found: str
    holds: bool
    # A figure, which also depends on what else the machine does: `make chaos` judges it, a test does not.
    timed: bool = False


def judge(campaign: Campaign) -> list[Line]:
    """Every line of the verdict."""
    jobs = campaign.scene.watchdog.ask("SELECT id::text, kind, state, attempt, error FROM jobs")
    return [
        *_jobs(campaign, jobs),
        *_ends(campaign, jobs),
        *_recovery(campaign),
        *_processes(campaign),
        *_recordings(campaign),
        *_files(campaign),
        *_answers(campaign),
        _promptness(campaign),
    ]


def _jobs(campaign: Campaign, jobs: list[dict[str, Any]]) -> list[Line]:
    scene = campaign.scene
    submitted = {line["job"] for line in scene.witness.read("submitted")}
    lost = submitted - {row["id"] for row in jobs}
    states = Counter(row["state"] for row in jobs)
    live = states.keys() - {"succeeded", "failed", "cancelled", "dead"}
    violations = scene.watchdog.violations()
    accepted = {line["token"] for line in scene.witness.read("accepted")}
    refused = {line["token"] for line in scene.witness.read("refused")}
    effects = {row["token"] for row in scene.watchdog.ask("SELECT token::text FROM chaos_effects")}
    return [
        Line(
            "every request became a job",
            f"{len(submitted)} of {campaign.clients.asked}, {len(lost)} lost",
            len(submitted) == campaign.clients.asked and not lost,
        ),
        Line("every job ended", _counts(states), not live),
        Line("ended once, one effect each, nothing stale", _some(violations, "no violation"), not violations),
        Line(
            "effects accepted are those in the database",
            f"{len(accepted)} told, {len(effects)} there, {len(refused)} stale runs refused",
            accepted <= effects and not refused & effects,
        ),
    ]


def _ends(campaign: Campaign, jobs: list[dict[str, Any]]) -> list[Line]:
    poison = [row for row in jobs if row["kind"] == "chaos.poison"]
    wrong = [
        f"{row['id']} {row['kind']} {row['state']} {row['error']}"
        for row in jobs
        if row["kind"] != "chaos.poison" and row["state"] in {"failed", "dead"}
    ]
    states = {row["id"]: row["state"] for row in jobs}
    asked = {line["job"] for line in campaign.scene.witness.read("cancelled")}
    return [
        Line("nothing but poison failed", _some(wrong, "nothing"), not wrong),
        Line(
            "poison is dead after exactly its attempts",
            f"{len(poison)} jobs",
            all((row["state"], row["attempt"], row["error"]["code"]) == ("dead", 3, "worker-lost") for row in poison),
        ),
        Line(
            "cancelled jobs ended so, or were done before",
            f"{len(asked)} asked",
            {states[job] for job in asked} <= {"cancelled", "succeeded"},
        ),
    ]


def _recovery(campaign: Campaign) -> list[Line]:
    scene = campaign.scene
    lines = scene.witness.read("fault", "calm", "received")
    history = scene.watchdog.ask(_HISTORY)
    lost = sorted(recoveries(runs_of(history), lines), key=lambda recovery: recovery.seconds)
    took = [recovery.seconds for recovery in lost]
    slowest = f" ({lost[-1].steps(history)})" if lost else ""
    limit = RECOVERY if campaign.plan.quick == 1 else RECOVERY_BESIDE_OTHERS
    again = resumptions(lines)
    asked, charged = _charged(campaign)
    return [
        Line(
            f"killed and stopped runs start anew, p99 ≤ {limit:g} s",
            f"{len(took)} lost runs: {_seconds(took)}{slowest}",
            percentile(took, 0.99) <= limit,
            timed=True,
        ),
        Line(
            f"every worker consumes again < {RESUMPTION:g} s after the broker is back",
            f"{len(again)} times: {_seconds(again)}",
            max(again, default=0.0) < RESUMPTION,
            timed=True,
        ),
        Line(
            "an orderly restart charges no attempt",
            f"{asked} restarts, {charged} charged",
            not charged,
            # With leases of 3 s instead of 30 a busy machine may lose one while the worker still ends.
            timed=campaign.plan.quick != 1,
        ),
    ]


def _charged(campaign: Campaign) -> tuple[int, int]:
    """Workers that were asked to go, and runs that those of them lost which met no other fault on the way."""
    faults = campaign.scene.witness.read("fault")
    asked = {line["main"]: line["at"] for line in faults if line["fault"] == "terminate"}
    hurt = {line["main"] for line in faults if line["fault"] != "terminate" and "main" in line}
    held = {job for line in faults if line["fault"] == "hog" for job in line["jobs"]}
    # A run that was lost before the worker was asked is another story, and poison always is.
    lost = campaign.scene.watchdog.ask(
        "SELECT a.job_id::text AS job, a.worker, extract(epoch FROM a.ended_at)::float AS at FROM job_attempts a"
        " JOIN jobs j ON j.id = a.job_id WHERE a.outcome = 'worker-lost' AND j.kind <> 'chaos.poison'"
    )
    charged = [
        row
        for row in lost
        for main, at in asked.items()
        if f":{main}:" in row["worker"] and main not in hurt and row["at"] > at and row["job"] not in held
    ]
    return len(asked), len(charged)


def _processes(campaign: Campaign) -> list[Line]:
    orphans = campaign.orphans + [str(process.pid) for process in media_processes(campaign.scene.folder)]
    survivors = [str(pid) for pid in campaign.mischief.survivors]
    return [
        Line("no ffmpeg outlives its worker", _some(orphans, "none"), not orphans),
        Line("no child outlives its main process by 2 s", _some(survivors, "none"), not survivors),
    ]


def _recordings(campaign: Campaign) -> list[Line]:
    scene = campaign.scene
    rows = scene.watchdog.ask("SELECT id, is_available FROM whiteboard_session_recordings")
    playing = {row["id"] for row in rows if row["is_available"]}
    deleted = {line["recording"] for line in scene.witness.read("deleted")}
    posted = {line["recording"] for line in scene.witness.read("submitted") if "recording" in line}
    return [
        Line(
            "recordings play, deleted ones are gone",
            f"{len(posted)} uploaded, {len(deleted)} deleted, {len(playing)} play",
            {row["id"] for row in rows} == playing == posted - deleted,
        )
    ]


def _files(campaign: Campaign) -> list[Line]:
    scene = campaign.scene
    stored = {found.name for found in ObjectStore.from_settings(scene.settings).list("videos/whiteboard/")}
    rows = scene.watchdog.ask("SELECT object_name FROM recording_renditions WHERE object_name IS NOT NULL")
    named = {row["object_name"] for row in rows}
    spooled = [path.name for path in scene.settings.spool_dir.rglob("*") if path.is_file()]
    waiting = scene.watchdog.ask("SELECT 1 FROM whiteboard_session_recordings WHERE spool_name IS NOT NULL")
    return [
        Line(
            "B2 holds what rows name, nothing else",
            f"{len(stored)} objects, {len(stored - named)} orphans, {len(named - stored)} missing",
            stored == named,
        ),
        Line(
            "the spool holds nothing after the sweep",
            f"{len(spooled)} files, {len(waiting)} rows that name one",
            not spooled and not waiting,
        ),
    ]


def _answers(campaign: Campaign) -> list[Line]:
    answers = campaign.scene.witness.read("answered")
    unanswered = campaign.scene.witness.read("unanswered")
    wrong = [
        f"{line['method']} {line['status']} {line['body']}"
        for line in answers
        if line["status"] >= 500 and (line["status"] != 503 or line["type"] != "application/problem+json")
    ]
    statuses = Counter(line["status"] for line in answers)
    return [
        Line(
            "the API answers, or says 503 as a problem",
            _some(wrong, f"{_counts(statuses)}, {len(unanswered)} unanswered"),
            not wrong and not unanswered,
        ),
        Line("and is well again at the end", str(answers[-1]["status"]), answers[-1]["status"] == 200),
    ]


def _promptness(campaign: Campaign) -> Line:
    """Only the broker: what a POST takes while the database restarts or every line is slow is another matter."""
    posts = [
        line for line in campaign.scene.witness.read("answered") if line["method"] == "POST" and line["status"] == 202
    ]
    frozen, other = _windows(campaign, {"freeze_broker"}), _windows(campaign, _OTHER_REASONS)
    took = [
        line["took"]
        for line in posts
        if _within(line["asked"], frozen)
        and not _within(line["asked"], other)
        and not _within(line["asked"] + line["took"], other)
    ]
    limit = PROMPT if campaign.plan.quick == 1 else PROMPT_BESIDE_OTHERS
    every = [line["took"] for line in posts]
    return Line(
        f"POST 202 in < {limit:g} s (p99) while only the broker is frozen",
        f"{len(took)} posts: {_seconds(took)}; all {len(every)}: {_seconds(every)}",
        percentile(took, 0.99) < limit,
        timed=True,
    )


def _windows(campaign: Campaign, names: set[str]) -> list[tuple[float, float]]:
    """When these faults began and ended, each time, with a little room."""
    faults = [line for line in campaign.scene.witness.read("fault") if line["fault"] in names]
    return [(line["at"] - 0.1, line["at"] + line["seconds"] + 1.0) for line in faults]


def _within(at: float, windows: list[tuple[float, float]]) -> bool:
    return any(start <= at <= end for start, end in windows)


def _seconds(values: Sequence[float]) -> str:
    p50, p99, most = percentile(values, 0.5), percentile(values, 0.99), max(values, default=0.0)
    return f"p50 {p50:.2f} s, p99 {p99:.2f} s, most {most:.2f} s"


def _counts(counter: Counter[Any]) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(counter.items()))


def _some(items: Iterable[str], otherwise: str) -> str:
    shown = list(items)
    more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    return "; ".join(shown[:5]) + more if shown else otherwise
