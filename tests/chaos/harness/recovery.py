"""How long recovery took, computed from the database's history, received messages and the faults."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Lines = Sequence[dict[str, Any]]

# Seconds within which a worker must have consumed before a fault to be asked afterwards, and must consume after it.
RESUMPTION = 60.0


@dataclass(frozen=True)
class Run:
    """One attempt as the database saw it: from claim to end (None: not ended)."""

    job: str
    worker: str
    start: float
    end: float | None
    to: str | None

    def was_in_hand(self, main: int, at: float) -> bool:
        """Whether a child of this main process had it at that time."""
        return f":{main}:" in self.worker and self.start <= at < (self.end or math.inf)


@dataclass(frozen=True)
class Recovery:
    """A run that a fault cost, from `at` until the next start (or the end) of its job.

    `seconds` leaves out the time in which nobody could have started it.
    """

    job: str
    fault: str
    at: float
    until: float
    seconds: float

    def steps(self, history: Lines) -> str:
        """Each change of the job's state on the way, with the seconds since the fault."""
        changes = [row for row in history if row["job_id"] == self.job and self.at <= row["at"] <= self.until]
        return ", ".join([self.fault, *(f"{row['at'] - self.at:.1f} {row['after']}" for row in changes)])


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of the values do not exceed (nearest rank); 0 for none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else 0.0


def runs_of(history: Lines) -> list[Run]:
    """Every attempt, in the order of their starts."""
    runs: list[Run] = []
    begun: dict[str, dict[str, Any]] = {}
    for row in history:
        if row["after"] == "running":
            begun[row["token"]] = row
        elif row["before"] == "running" and row["token"] in begun:
            start = begun.pop(row["token"])
            runs.append(Run(row["job_id"], start["worker"], start["at"], row["at"], row["after"]))
    runs += [Run(row["job_id"], row["worker"], row["at"], None, None) for row in begun.values()]
    return sorted(runs, key=lambda run: run.start)


def recoveries(runs: Sequence[Run], lines: Lines) -> list[Recovery]:
    """Of each kill or stop, each job whose run it cost.

    Time in which nobody could have started it does not count: the broker or the database was away, or its row locked.
    """
    took: list[Recovery] = []
    for fault in lines:
        if fault["what"] != "fault" or fault["fault"] not in {"kill_child", "kill_main", "stop_child"}:
            continue
        jobs = None if fault["fault"] == "kill_main" else _in_hand(lines, fault)
        for run in runs:
            hit = run.was_in_hand(fault["main"], fault["at"]) and (jobs is None or run.job in jobs)
            if hit and run.to != "succeeded":
                again = (other.start for other in runs if other.job == run.job and other.start > fault["at"])
                until = next(again, run.end or math.inf)
                seconds = until - fault["at"] - _overlap(fault["at"], until, _outages(lines, run.job))
                took.append(Recovery(run.job, fault["fault"], fault["at"], until, seconds))
    return took


def _outages(lines: Lines, job: str) -> list[tuple[float, float]]:
    """When parts that a start of this job needs were away."""
    away = {"freeze_broker", "restart_broker", "restart_database", "crash_database"}
    calms = [(line["at"], line["fault"]) for line in lines if line["what"] == "calm"]

    def end(line: dict[str, Any]) -> float:
        """Of what lasts longer than planned, as the start of a large server does, when it was over."""
        planned = float(line["at"] + line["seconds"])
        return max(planned, next((at for at, fault in calms if fault == line["fault"] and at > line["at"]), planned))

    return sorted(
        (line["at"], end(line))
        for line in lines
        if line["what"] == "fault" and (line["fault"] in away or (line["fault"] == "hog" and job in line["jobs"]))
    )


def _overlap(start: float, end: float, windows: Sequence[tuple[float, float]]) -> float:
    """Seconds of [start, end] that the windows, sorted, cover."""
    covered, reached = 0.0, start
    for opens, closes in windows:
        opens, closes = max(opens, reached), min(closes, end)  # noqa: PLW2901 - cut to what is asked and not yet counted
        covered += max(0.0, closes - opens)
        reached = max(reached, closes)
    return covered


def _in_hand(lines: Lines, fault: dict[str, Any]) -> set[str]:
    """The job that a child had received last before something happened to it."""
    got = [
        line["job"]
        for line in lines
        if line["what"] == "received" and line["pid"] in fault["pids"] and line["at"] <= fault["at"]
    ]
    return set(got[-1:])


def resumptions(lines: Lines) -> list[float]:
    """Seconds from each return of the broker until each worker that had consumed before got a message again."""
    got: dict[int, list[float]] = defaultdict(list)
    hurt: dict[int, list[float]] = defaultdict(list)
    for line in lines:
        if line["what"] == "received":
            got[line["main"]].append(line["at"])
        elif line["what"] == "fault" and "main" in line:
            hurt[line["main"]].append(line["at"])
    took: list[float] = []
    for calm in (line["at"] for line in lines if line["what"] == "calm" and "broker" in line["fault"]):
        for main, times in got.items():
            again = next((at for at in times if at > calm), math.inf)
            harmed = next((at for at in hurt[main] if at > calm - RESUMPTION), math.inf)
            consumed = any(calm - RESUMPTION < at <= calm for at in times)
            # A worker that meets a fault first, or for which the run ends first, is not measured.
            is_measured = again < harmed or (harmed == math.inf and lines[-1]["at"] - calm > RESUMPTION)
            if consumed and is_measured:
                took.append(again - calm)
    return took
