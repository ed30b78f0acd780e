"""A complete run of a plan, from the start of its servers to its report."""

from collections.abc import Callable
from pathlib import Path

from tests.chaos.harness.environment import Environment, make_template
from tests.chaos.harness.plan import Plan
from tests.chaos.harness.report import Claim, check_claims
from tests.chaos.harness.run import ChaosRun
from tests.chaos.harness.servers import Servers
from tests.forking.forked_process import Start, start_process


def carry_out(
    plan: Plan, root: Path, say: Callable[[str], None], *, start: Start = start_process, broker: str = "valkey"
) -> list[Claim]:
    """Start servers, workers and API below `root`, let it happen, and judge. Call it from the main thread."""
    folder = root / "environment"
    folder.mkdir(parents=True, exist_ok=True)
    with Servers(root / "servers", broker=broker) as servers:
        make_template(servers, "chaos")
        with Environment(servers, folder, "chaos", quick=plan.quick, start=start) as environment:
            run = ChaosRun(environment, plan, say)
            run.run()
            return check_claims(run)


def as_table(claims: list[Claim]) -> str:
    """The report as a table."""
    width = max(len(line.claim) for line in claims)
    lines = [f"{'ok  ' if line.holds else 'FAIL'}  {line.claim:<{width}}  {line.result}" for line in claims]
    holds = all(line.holds for line in claims)
    return "\n".join([*lines, "", "nothing lost, nothing twice" if holds else "this run shows a defect"])
