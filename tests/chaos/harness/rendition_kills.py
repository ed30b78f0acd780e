"""Recordings with renditions and pictures whose workers, children and ffmpegs are killed at seeded moments."""

import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil

from devstack.process import ChildProcess
from tests.chaos.harness.environment import Environment, make_template
from tests.chaos.harness.orphans import media_processes
from tests.chaos.harness.report import Claim
from tests.chaos.harness.servers import Servers
from tests.chaos.harness.stored_files import named, spooled, stored, sweep
from tests.chaos.harness.uploads.run import Say
from tests.chaos.harness.workers import children
from tests.forking.forked_process import Start, start_process
from tests.waiting import wait_for

RENDITIONS = ("audio", "audio-aac", "360p", "hls", "download", "pictures")
_CLIPS = ("audio.webm", "audio.webm", "h264.webm")
# A job that takes four workers with it is given up: as many kills of one recording would be no accident.
_KILLS_EACH = 3
# Seconds between two kills.
_PAUSE = 1.5
_LIVE = """
    SELECT 1 FROM jobs WHERE subject LIKE 'recording:%%' AND state NOT IN ('succeeded', 'failed', 'cancelled', 'dead')
"""
_QUICK = 10.0


def carry_out_rendition_kills(
    seed: int, kills: int, root: Path, say: Say, *, start: Start = start_process, broker: str = "valkey"
) -> list[Claim]:
    """Start servers, a worker and an API below `root`, kill, and judge. Call it from the main thread."""
    root.mkdir(parents=True, exist_ok=True)
    with Servers(root / "servers", broker=broker) as servers:
        make_template(servers, "rendition_kills")
        folder = root / "environment"
        folder.mkdir()
        with Environment(
            servers, folder, "rendition_kills", quick=_QUICK, start=start, renditions=RENDITIONS
        ) as environment:
            environment.start_api()
            return kill_renditions(environment, seed, kills, say)


def kill_renditions(environment: Environment, seed: int, kills: int, say: Say) -> list[Claim]:
    """Upload recordings and kill whatever works on them so many times; then the claims about what is left."""
    chance = random.Random(seed)
    worker = environment.workers.start()
    recordings = []
    for number in range(kills):
        if number % _KILLS_EACH == 0:
            wait_for(lambda: not environment.watchdog.ask(_LIVE), details=environment.workers.log)
            clip = _CLIPS[number // _KILLS_EACH % len(_CLIPS)]
            response = environment.post_recording(environment.new_session(), clip)
            recordings.append(int(response.json()["recording_id"]))
        time.sleep(chance.uniform(0, _PAUSE))
        target = chance.choice(("worker", "child", "ffmpeg"))
        worker = _kill(environment, worker, target, chance)
        say(f"kill {number + 1} of {kills}: {target}, recording {recordings[-1]}")
    wait_for(lambda: not environment.watchdog.ask(_LIVE), details=environment.workers.log)
    sweep(environment)
    return _claims(environment, recordings, kills)


def _kill(environment: Environment, worker: ChildProcess, target: str, chance: random.Random) -> ChildProcess:
    """Kill what was chosen; returns the worker that runs now."""
    if target == "worker":
        environment.workers.forget(worker)
        return environment.workers.start()
    pids = [process.pid for process in media_processes(environment.folder)] if target == "ffmpeg" else []
    # Between two runs of ffmpeg its child is killed.
    pids = pids or children(worker.pid)
    with suppress(psutil.NoSuchProcess):
        psutil.Process(chance.choice(pids)).send_signal(signal.SIGKILL)
    return worker


def _claims(environment: Environment, recordings: list[int], kills: int) -> list[Claim]:
    rows = environment.watchdog.ask("SELECT recording_id, name, state, reason FROM recording_renditions")
    ready = {(row["recording_id"], row["name"]) for row in rows if row["state"] == "ready"}
    # The source's row is there as soon as it is awaited.
    unready = [dict(row) for row in rows if row["state"] != "ready"]
    wanted = {"playback", "source", "audio", "audio-aac", "hls", "download", "activity"}
    lost = [(recording, name) for recording in recordings for name in wanted if (recording, name) not in ready]
    orphans, missing = stored(environment) - named(environment), named(environment) - stored(environment)
    left = [*spooled(environment), *map(str, media_processes(environment.folder))]
    return [
        Claim(f"after {kills} kills each output of {len(recordings)} recordings is there", f"lost: {lost}", not lost),
        Claim("every row is ready", f"others: {unready}", not unready),
        Claim("each object on B2 is named by a row", f"orphans: {sorted(orphans)}", not orphans),
        Claim("each row's object is on B2", f"missing: {sorted(missing)}", not missing),
        Claim("nothing is left in the spool, and no ffmpeg", f"left: {left}", not left),
    ]
