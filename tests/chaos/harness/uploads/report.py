"""The results of a run of kills: where each acknowledged byte is, and how long recovery took."""

import base64
import hashlib
import math
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.chaos.harness.recovery import recoveries, runs_of
from tests.chaos.harness.report import Claim
from tests.chaos.harness.uploads.browser import BrowserRecorder
from tests.chaos.harness.uploads.clients import SentUpload
from tests.chaos.harness.uploads.kills import KINDS, OF_BROWSERS
from tests.chaos.harness.uploads.run import UploadRun
from worker.storage.store import ObjectStore

_SOURCES = """
SELECT u.id, u.state, u.filename, u.recorded_bytes, u.recording_id, r.object_name, w.error
  FROM uploads u
  LEFT JOIN whiteboard_session_recordings w ON w.id = u.recording_id
  LEFT JOIN recording_renditions r ON r.recording_id = u.recording_id AND r.name = 'source' AND r.state = 'ready'
"""
_HISTORY = """
SELECT job_id::text, before, after, token::text, worker, extract(epoch FROM at)::float AS at
  FROM chaos_history ORDER BY id
"""
_OF_SERVERS = {"API", "database", "link"}
_SHOWN = 5


@dataclass
class Sources:
    """The rows of all uploads by id, and the bytes of their recordings' sources on B2."""

    rows: dict[str, dict[str, Any]]
    store: ObjectStore
    folder: Path

    def read(self, upload_id: str) -> bytes:
        """The source that this upload became; empty without one."""
        name = self.rows.get(upload_id, {}).get("object_name")
        if name is None:
            return b""
        path = self.folder / f"source-{upload_id}"
        self.store.download(name, path)
        content = path.read_bytes()
        path.unlink()
        return content

    def uploads_of(self, recording_id: str) -> set[str]:
        """The uploads of a browser's recording, which names them after itself.

        Its journal names them as well, but may be gone before anybody has read it.
        """
        return {each for each, row in self.rows.items() if (row["filename"] or "").startswith(recording_id)}

    def only(self, upload_ids: set[str]) -> str:
        """That of these uploads that has bytes; empty when there is not exactly one."""
        with_bytes = [each for each in upload_ids if self.rows[each]["recorded_bytes"]]
        return with_bytes[0] if len(with_bytes) == 1 else ""

    def about(self, upload_id: str) -> str:
        """What the tables say of an upload whose bytes are missing."""
        row = self.rows.get(upload_id, {})
        return f"{upload_id} {row.get('state')} {row.get('recorded_bytes')} {row.get('error')}"


def check_uploads(run: UploadRun) -> list[Claim]:
    """Every claim about the run."""
    environment = run.environment
    rows = {row["id"]: row for row in environment.watchdog.ask(_SOURCES)}
    sources = Sources(rows, ObjectStore.from_settings(environment.settings), environment.folder)
    done = len(run.kills) - len(_of_browser(run)) + (len(run.browser.kills) if run.browser else 0)
    return [
        Claim("every kill was carried out", f"{done} of {len(run.plan.kills)}", done == len(run.plan.kills)),
        _of_clients(run.clients.uploads, sources),
        _offsets(run.clients.uploads),
        *([] if run.browser is None else _slices(run.browser, sources)),
        _rows(run, sources),
        _jobs(run),
    ]


def kill_table(run: UploadRun) -> str:
    """Kills by kind, and the longest time until the part did again what it is for."""
    times: dict[str, list[float]] = {kind: [] for kind in KINDS.values()} | _recovery_times(run)
    counts = Counter(KINDS[kill.name] for kill, _at in run.kills)
    lines = [f"seed {run.plan.seed}", "", "| killed | times | worst recovery, s |", "| --- | --- | --- |"]
    lines += [f"| {kind} | {counts[kind]} | {max(times[kind], default=0.0):.1f} |" for kind in times if counts[kind]]
    return "\n".join([*lines, f"| in all | {sum(counts.values())} | all on B2 after {run.calm_after:.0f} |"])


def _of_clients(uploads: list[SentUpload], sources: Sources) -> Claim:
    acknowledged = stored = lost = 0
    wrong: list[str] = []
    for upload in uploads:
        source = sources.read(upload.upload_id)
        right = _common(source, upload.content)
        acknowledged += upload.acknowledged
        stored += right
        if right < upload.acknowledged or right < len(source):
            lost += max(0, upload.acknowledged - right)
            wrong.append(f"{sources.about(upload.upload_id)}: {right} of {upload.acknowledged} bytes")
    manners = Counter(upload.manner for upload in uploads)
    result = (
        f"{len(uploads)} uploads ({manners['abandoned']} abandoned): {acknowledged} bytes acknowledged, {stored} on B2,"
        f" {lost} lost"
    )
    return Claim("every acknowledged byte of a client is on B2", _with(result, wrong), not wrong)


def _common(held: bytes, stored: bytes) -> int:
    """The number of first bytes in which both are the same."""
    if stored.startswith(held):
        return len(held)
    return next((at for at, (left, right) in enumerate(zip(held, stored, strict=False)) if left != right), len(stored))


def _offsets(uploads: list[SentUpload]) -> Claim:
    violations = [violation for upload in uploads for violation in upload.violations]
    return Claim("no offset goes back, nothing is refused", _with("none", violations), not violations)


def _slices(browser: BrowserRecorder, sources: Sources) -> list[Claim]:
    number = size = lost = 0
    wrong: list[str] = []
    for recording_id, recording in browser.recordings.items():
        upload_id = sources.only(sources.uploads_of(recording_id))
        source = sources.read(upload_id)
        for (offset, length), sha256 in recording.slices.items():
            number += 1
            size += length
            digest = hashlib.sha256(source[offset : offset + length]).digest()
            if base64.b64encode(digest).decode() != sha256:
                lost += length
                wrong.append(f"{recording_id}: {sources.about(upload_id)}: {offset}, {length} of {len(source)}")
        if recording.skipped:
            wrong.append(f"{recording_id}: {recording.skipped} bytes were skipped")
    result = f"{len(browser.recordings)} recordings, {number} slices: {size} bytes, {size - lost} on B2, {lost} lost"
    return [
        Claim("every slice of the browser's disk is on B2", _with(result, wrong), not wrong),
        Claim("nothing is left on the browser's disk", f"{browser.left} recordings", browser.left == 0),
    ]


def _rows(run: UploadRun, sources: Sources) -> Claim:
    recordings = {row["id"] for row in run.environment.watchdog.ask("SELECT id FROM whiteboard_session_recordings")}
    named = Counter(row["recording_id"] for row in sources.rows.values() if row["recording_id"] is not None)
    expected = {upload.upload_id for upload in run.clients.uploads if upload.acknowledged} | {
        upload_id
        for recording_id in (run.browser.recordings if run.browser else ())
        for upload_id in sources.uploads_of(recording_id)
    }
    states = Counter(row["state"] for row in sources.rows.values())
    # One without a byte is given up when it is idle, and its client creates another.
    ended = [each for each in expected if sources.rows[each]["state"] != "terminated"]
    without = [sources.about(each) for each in ended if not sources.rows[each]["recording_id"]]
    extra = [sources.about(each) for each in sources.rows.keys() - expected if sources.rows[each]["recorded_bytes"]]
    holds = not without and not extra and recordings == named.keys() and set(named.values()) <= {1}
    result = f"{len(sources.rows)} uploads ({', '.join(f'{n} {state}' for state, n in sorted(states.items()))}), "
    result += f"{len(recordings)} recordings"
    return Claim("one recording of each upload, none extra", _with(result, without + extra), holds)


def _jobs(run: UploadRun) -> Claim:
    rows = run.environment.watchdog.ask("SELECT kind, state, attempt, error FROM jobs WHERE kind <> 'uploads.seal'")
    wrong = [f"{row['kind']} {row['state']} {row['error']}" for row in rows if row["state"] != "succeeded"]
    return Claim("every job succeeded", _with(f"{len(rows)} jobs", wrong), not wrong)


def _recovery_times(run: UploadRun) -> dict[str, list[float]]:
    """By kind, the seconds from each kill until it was made good.

    Of an API process, a link and the database: until bytes were acknowledged again, after the last of these kills; of a
    worker: until the job that it ran was started again; of a tab or browser: until the page recorded or sent again.
    """
    times: dict[str, list[float]] = {}
    hits = sorted((at, KINDS[kill.name]) for kill, at in run.kills if KINDS[kill.name] in _OF_SERVERS)
    for (at, kind), (following, _kind) in pairwise([*hits, (math.inf, "")]):
        after = next((then for then in run.clients.acknowledgements if then > at), math.inf)
        if after < following:
            times.setdefault(kind, []).append(after - at)
    lines = run.environment.event_log.read("fault", "calm", "received")
    lost = recoveries(runs_of(run.environment.watchdog.ask(_HISTORY)), lines)
    times["worker"] = [recovery.seconds for recovery in lost]
    for kind, seconds in run.browser.recoveries if run.browser else ():
        times.setdefault(kind, []).append(seconds)
    return times


def _of_browser(run: UploadRun) -> list[str]:
    return [kill.name for kill, _at in run.kills if kill.name in OF_BROWSERS]


def _with(result: str, wrong: list[str]) -> str:
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    return f"{result}; {'; '.join(wrong[:_SHOWN])}{more}" if wrong else result
