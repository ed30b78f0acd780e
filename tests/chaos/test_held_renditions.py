"""Three long lessons whose renditions never end, and a short one that becomes playable meanwhile, on a real worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.conftest import new_environment
from tests.chaos.harness.environment import Environment
from tests.chaos.harness.servers import Servers
from tests.forking.forked_process import ForkServer
from tests.waiting import wait_for
from worker.media.processes.binaries import find_binaries
from worker.settings import Settings

# The real ffmpeg, which encodes no rendition as long as a file is there: an hour of encoding would take as long.
_HELD = """#!/bin/sh
case "$*" in *libopus*voip*|*voip*libopus*) while [ -e '{hold}' ]; do sleep 0.05; done;; esac
exec '{ffmpeg}' "$@"
"""
_STATES = "SELECT subject, state FROM jobs WHERE kind = 'recordings.renditions' ORDER BY created_at"


@pytest.fixture
def held(servers: Servers, tmp_path: Path, fork_server: ForkServer) -> Iterator[Environment]:
    """An environment whose renditions wait while the file `hold` is there."""
    script, sign = tmp_path / "ffmpeg", tmp_path / "hold"
    script.write_text(_HELD.format(hold=sign, ffmpeg=find_binaries(Settings()).ffmpeg))
    script.chmod(0o755)
    sign.touch()
    # Leases as in production: what runs for long is not lost.
    leases = {"run_lease": 60.0, "published_lease": 60.0, "published_lease_max": 60.0}
    renditions = ("audio", "audio-aac")
    with new_environment(
        servers, tmp_path, fork_server, renditions=renditions, ffmpeg_path=script, **leases
    ) as environment:
        environment.start_api()
        yield environment


def test_renditions_of_long_lessons_hold_up_no_fast_copy(held: Environment) -> None:
    held.workers.start()
    for _lesson in range(3):
        assert held.post_recording(held.new_session()).status_code == 202

    def renditions() -> list[str]:
        return [row["state"] for row in held.watchdog.ask(_STATES)]

    wait_for(lambda: len(renditions()) == 3 and "running" in renditions(), details=held.workers.log)

    short = held.post_recording(held.new_session()).json()

    held.wait_for(short["job_id"], "succeeded")
    # They take one of two children; the others of them wait for it, and so does the short one's own.
    assert renditions().count("running") == 1
    assert "succeeded" not in renditions()
    (held.folder / "hold").unlink()
    wait_for(lambda: set(renditions()) == {"succeeded"}, details=held.workers.log)
