"""A complete rolling restart, from the start of its servers to its report."""

import random
from contextlib import closing
from pathlib import Path

from tests.chaos.harness.environment import Environment, make_template
from tests.chaos.harness.mail_server import MailServer
from tests.chaos.harness.plan import Plan, Request
from tests.chaos.harness.report import Claim
from tests.chaos.harness.rolling import ABANDONED_AFTER, RollingRun
from tests.chaos.harness.rolling_report import check_rolling
from tests.chaos.harness.servers import Servers
from tests.chaos.harness.uploads.run import Say
from tests.forking.forked_process import Start, start_process


def carry_out_rolling(
    seed: int,
    rounds: int,
    every: float,
    root: Path,
    say: Say,
    *,
    quick: float = 1.0,
    start: Start = start_process,
    broker: str = "valkey",
) -> list[Claim]:
    """Start everything below `root`, restart it, and judge. Call it from the main thread."""
    folder = root / "environment"
    folder.mkdir(parents=True, exist_ok=True)
    changes = {"smtp_host": "127.0.0.1", "upload_abandoned_after": ABANDONED_AFTER}
    with Servers(root / "servers", broker=broker) as servers, closing(MailServer()) as mail:
        make_template(servers, "rolling")
        with (
            Environment(
                servers, folder, "rolling", quick=quick, start=start, run_lease=30.0, smtp_port=mail.port, **changes
            ) as environment,
            RollingRun(environment, _make_plan(seed, rounds * every, quick), rounds, every, say) as run,
        ):
            run.run()
            return check_rolling(run.environment, run.clients, run.uploads.uploads, run.others, run.ends)


def _make_plan(seed: int, seconds: float, quick: float) -> Plan:
    """A recording or an order each second; one of twenty orders takes longer than a soft shutdown (20 s)."""
    dice = random.Random(seed)
    requests = [
        Request(float(at), at, "record", clip="audio.webm")
        if at % 3 == 0
        else Request(float(at), at, "go", dice.choices((0.5, 10.0, 30.0), (16, 3, 1))[0] / quick)
        for at in range(int(seconds))
    ]
    return Plan(seed, seconds, quick, [], requests)
