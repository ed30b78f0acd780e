"""Renditions and pictures whose workers are killed: `make chaos CHAOS=--renditions` for minutes, here for seconds."""

from pathlib import Path

from tests.chaos.conftest import new_environment
from tests.chaos.harness.rendition_kills import RENDITIONS, kill_renditions
from tests.chaos.harness.servers import Servers
from tests.chaos.harness.session import as_table
from tests.forking.forked_process import ForkServer

# A worker, a child and an ffmpeg are killed.
SEED, KILLS = 3, 4


def test_killed_renditions_leave_one_set_of_outputs(servers: Servers, tmp_path: Path, fork_server: ForkServer) -> None:
    output: list[str] = []
    with new_environment(servers, tmp_path, fork_server, renditions=RENDITIONS) as environment:
        environment.start_api()
        claims = kill_renditions(environment, SEED, KILLS, output.append)
    assert all(claim.holds for claim in claims), "\n".join([*output, as_table(claims)])
