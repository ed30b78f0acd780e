"""A plan carried out from nothing to its verdict."""

from collections.abc import Callable
from pathlib import Path

from tests.chaos.mayhem.campaign import Campaign
from tests.chaos.mayhem.parts import Parts
from tests.chaos.mayhem.plan import Plan
from tests.chaos.mayhem.scene import Scene, make_template
from tests.chaos.mayhem.verdict import Line, judge
from tests.forking.forked_process import Start, start_process


def carry_out(plan: Plan, root: Path, say: Callable[[str], None], *, start: Start = start_process) -> list[Line]:
    """Start servers, workers and API below `root`, let it happen, and judge. Call it from the main thread."""
    folder = root / "scene"
    folder.mkdir(parents=True, exist_ok=True)
    with Parts(root / "parts") as parts:
        make_template(parts, "chaos")
        with Scene(parts, folder, "chaos", quick=plan.quick, start=start) as scene:
            campaign = Campaign(scene, plan, say)
            campaign.run()
            return judge(campaign)


def as_table(verdict: list[Line]) -> str:
    """The verdict for people."""
    width = max(len(line.claim) for line in verdict)
    lines = [f"{'ok  ' if line.holds else 'FAIL'}  {line.claim:<{width}}  {line.found}" for line in verdict]
    holds = all(line.holds for line in verdict)
    return "\n".join([*lines, "", "nothing lost, nothing twice" if holds else "this run shows a defect"])
