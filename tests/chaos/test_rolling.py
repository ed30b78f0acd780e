"""Everything restarted twice under load: `make chaos CHAOS=--rolling` does so every 20 s for three minutes."""

from devstack.directories import scratch_directory
from tests.chaos.harness.rolling_session import carry_out_rolling
from tests.chaos.harness.session import as_table
from tests.forking.forked_process import ForkServer
from tests.memory import memory_directory

SEED, ROUNDS, EVERY = 4, 2, 8.0


def test_restarts_lose_nothing_and_charge_nothing(fork_server: ForkServer) -> None:
    output: list[str] = []
    with scratch_directory(memory_directory()) as root:
        claims = carry_out_rolling(SEED, ROUNDS, EVERY, root, output.append, quick=10, start=fork_server.start)
    assert all(claim.holds for claim in claims), "\n".join([*output, as_table(claims)])
