"""The results of a run: claims, each with what was found and whether it holds."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.harness.orphans import media_processes
from tests.chaos.harness.recovery import RESUMPTION, percentile, recoveries, resumptions, runs_of
from tests.chaos.harness.run import ChaosRun
from worker.storage.ownership import MARK
from worker.storage.restores import HISTORY
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
class Claim:
    """One claim and whether it holds."""

    claim: str
    result: str
    holds: bool
    # A figure, which also depends on what else the machine does: `make chaos` judges it, a test does not.
    timed: bool = False


def check_claims(run: ChaosRun) -> list[Claim]:
    """Every claim about the run."""
    jobs = run.environment.watchdog.ask("SELECT id::text, kind, state, attempt, error FROM jobs")
    return [
        *_jobs(run, jobs),
        *_ends(run, jobs),
        *_recovery(run),
        *_processes(run),
        *_recordings(run),
        *_files(run),
        *_answers(run),
        _promptness(run),
    ]


def _jobs(run: ChaosRun, jobs: list[dict[str, Any]]) -> list[Claim]:
    environment = run.environment
    submitted = {line["job"] for line in environment.event_log.read("submitted")}
    lost = submitted - {row["id"] for row in jobs}
    states = Counter(row["state"] for row in jobs)
    live = states.keys() - {"succeeded", "failed", "cancelled", "dead"}
    violations = environment.watchdog.violations()
    accepted = {line["token"] for line in environment.event_log.read("accepted")}
    refused = {line["token"] for line in environment.event_log.read("refused")}
    effects = {row["token"] for row in environment.watchdog.ask("SELECT token::text FROM chaos_effects")}
    return [
        Claim(
            "every request became a job",
            f"{len(submitted)} of {run.clients.request_count}, {len(lost)} lost",
            len(submitted) == run.clients.request_count and not lost,
        ),
        Claim("every job ended", _counts(states), not live),
        Claim("ended once, one effect each, nothing stale", _some(violations, "no violation"), not violations),
        Claim(
            "effects accepted are those in the database",
            f"{len(accepted)} told, {len(effects)} there, {len(refused)} stale runs refused",
            accepted <= effects and not refused & effects,
        ),
    ]


def _ends(run: ChaosRun, jobs: list[dict[str, Any]]) -> list[Claim]:
    poison = [row for row in jobs if row["kind"] == "chaos.poison"]
    wrong = [
        f"{row['id']} {row['kind']} {row['state']} {row['error']}"
        for row in jobs
        if row["kind"] != "chaos.poison" and row["state"] in {"failed", "dead"}
    ]
    states = {row["id"]: row["state"] for row in jobs}
    cancelled = {line["job"] for line in run.environment.event_log.read("cancelled")}
    return [
        Claim("nothing but poison failed", _some(wrong, "nothing"), not wrong),
        Claim(
            "poison is dead after exactly its attempts",
            f"{len(poison)} jobs",
            all((row["state"], row["attempt"], row["error"]["code"]) == ("dead", 3, "worker-lost") for row in poison),
        ),
        Claim(
            "cancelled jobs ended so, or were done before",
            f"{len(cancelled)} asked",
            {states[job] for job in cancelled} <= {"cancelled", "succeeded"},
        ),
    ]


def _recovery(run: ChaosRun) -> list[Claim]:
    environment = run.environment
    lines = environment.event_log.read("fault", "calm", "received")
    history = environment.watchdog.ask(_HISTORY)
    lost = sorted(recoveries(runs_of(history), lines), key=lambda recovery: recovery.seconds)
    took = [recovery.seconds for recovery in lost]
    slowest = f" ({lost[-1].steps(history)})" if lost else ""
    limit = RECOVERY if run.plan.quick == 1 else RECOVERY_BESIDE_OTHERS
    again = resumptions(lines)
    restarts, charged = _charged(run)
    return [
        Claim(
            f"killed and stopped runs start again, p99 ≤ {limit:g} s",
            f"{len(took)} lost runs: {_seconds(took)}{slowest}",
            percentile(took, 0.99) <= limit,
            timed=True,
        ),
        Claim(
            f"every worker consumes again < {RESUMPTION:g} s after the broker is back",
            f"{len(again)} times: {_seconds(again)}",
            max(again, default=0.0) < RESUMPTION,
            timed=True,
        ),
        Claim(
            "an orderly restart charges no attempt",
            f"{restarts} restarts, {charged} charged",
            not charged,
            # With leases of 3 s instead of 30 a busy machine may lose one while the worker still ends.
            timed=run.plan.quick != 1,
        ),
    ]


def _charged(run: ChaosRun) -> tuple[int, int]:
    """Workers that were asked to shut down, and the runs lost by those of them that met no other fault."""
    faults = run.environment.event_log.read("fault")
    terminated = {line["main"]: line["at"] for line in faults if line["fault"] == "terminate"}
    hurt = {line["main"] for line in faults if line["fault"] != "terminate" and "main" in line}
    held = {job for line in faults if line["fault"] == "hog" for job in line["jobs"]}
    # Not a run that was lost before the worker was asked, and never poison.
    lost = run.environment.watchdog.ask(
        "SELECT a.job_id::text AS job, a.worker, extract(epoch FROM a.ended_at)::float AS at FROM job_attempts a"
        " JOIN jobs j ON j.id = a.job_id WHERE a.outcome = 'worker-lost' AND j.kind <> 'chaos.poison'"
    )
    charged = [
        row
        for row in lost
        for main, at in terminated.items()
        if f":{main}:" in row["worker"] and main not in hurt and row["at"] > at and row["job"] not in held
    ]
    return len(terminated), len(charged)


def _processes(run: ChaosRun) -> list[Claim]:
    orphans = run.orphans + [str(process.pid) for process in media_processes(run.environment.folder)]
    survivors = [str(pid) for pid in run.injector.survivors]
    return [
        Claim("no ffmpeg outlives its worker", _some(orphans, "none"), not orphans),
        Claim("no child outlives its main process by 2 s", _some(survivors, "none"), not survivors),
    ]


def _recordings(run: ChaosRun) -> list[Claim]:
    environment = run.environment
    rows = environment.watchdog.ask("SELECT id, is_available FROM whiteboard_session_recordings")
    playing = {row["id"] for row in rows if row["is_available"]}
    deleted = {line["recording"] for line in environment.event_log.read("deleted")}
    posted = {line["recording"] for line in environment.event_log.read("submitted") if "recording" in line}
    return [
        Claim(
            "recordings play, deleted ones are gone",
            f"{len(posted)} uploaded, {len(deleted)} deleted, {len(playing)} play",
            {row["id"] for row in rows} == playing == posted - deleted,
        )
    ]


def _files(run: ChaosRun) -> list[Claim]:
    environment = run.environment
    files = ObjectStore.from_settings(environment.settings).list("videos/whiteboard/")
    stored = {file.name for file in files} - {MARK, HISTORY}
    rows = environment.watchdog.ask("SELECT object_name FROM recording_renditions WHERE object_name IS NOT NULL")
    named = {row["object_name"] for row in rows}
    spooled = [path.name for path in environment.settings.spool_dir.rglob("*") if path.is_file()]
    waiting = environment.watchdog.ask("SELECT 1 FROM whiteboard_session_recordings WHERE spool_name IS NOT NULL")
    return [
        Claim(
            "B2 holds what rows name, nothing else",
            f"{len(stored)} objects, {len(stored - named)} orphans, {len(named - stored)} missing",
            stored == named,
        ),
        Claim(
            "the spool holds nothing after the sweep",
            f"{len(spooled)} files, {len(waiting)} rows that name one",
            not spooled and not waiting,
        ),
    ]


def _answers(run: ChaosRun) -> list[Claim]:
    answers = run.environment.event_log.read("answered")
    unanswered = run.environment.event_log.read("unanswered")
    wrong = [
        f"{line['method']} {line['status']} {line['body']}"
        for line in answers
        if line["status"] >= 500 and (line["status"] != 503 or line["type"] != "application/problem+json")
    ]
    statuses = Counter(line["status"] for line in answers)
    return [
        Claim(
            "the API answers, or says 503 as a problem",
            _some(wrong, f"{_counts(statuses)}, {len(unanswered)} unanswered"),
            not wrong and not unanswered,
        ),
        Claim("and is well again at the end", str(answers[-1]["status"]), answers[-1]["status"] == 200),
    ]


def _promptness(run: ChaosRun) -> Claim:
    """Only the broker: what a POST takes while the database restarts or every line is slow is another matter."""
    posts = [
        line
        for line in run.environment.event_log.read("answered")
        if line["method"] == "POST" and line["status"] == 202
    ]
    frozen, other = _windows(run, {"freeze_broker"}), _windows(run, _OTHER_REASONS)
    took = [
        line["took"]
        for line in posts
        if _within(line["sent_at"], frozen)
        and not _within(line["sent_at"], other)
        and not _within(line["sent_at"] + line["took"], other)
    ]
    limit = PROMPT if run.plan.quick == 1 else PROMPT_BESIDE_OTHERS
    every = [line["took"] for line in posts]
    return Claim(
        f"POST 202 in < {limit:g} s (p99) while only the broker is frozen",
        f"{len(took)} posts: {_seconds(took)}; all {len(every)}: {_seconds(every)}",
        percentile(took, 0.99) < limit,
        timed=True,
    )


def _windows(run: ChaosRun, names: set[str]) -> list[tuple[float, float]]:
    """When these faults began and ended, each time, with a little room."""
    faults = [line for line in run.environment.event_log.read("fault") if line["fault"] in names]
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
