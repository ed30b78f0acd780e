"""A complete run of a plan of kills, from the start of its servers to its report."""

import shutil
from contextlib import ExitStack
from pathlib import Path

from tests.browser.recorder_harness import serve_harness
from tests.chaos.harness.environment import Environment, make_template
from tests.chaos.harness.report import Claim
from tests.chaos.harness.servers import Servers
from tests.chaos.harness.uploads.browser import BrowserRecorder
from tests.chaos.harness.uploads.kills import UploadPlan
from tests.chaos.harness.uploads.report import check_uploads, kill_table
from tests.chaos.harness.uploads.run import Say, UploadRun, tutor_token
from tests.forking.forked_process import Start, start_process

# How many times shorter than in production leases and the pauses before a retry are.
_QUICK = 3.0
_SESSIONS = 200


def browser_program() -> str | None:
    """Debian's Chromium; None where it is not installed."""
    return shutil.which("chromium")


def carry_out_kills(
    plan: UploadPlan, root: Path, say: Say, *, start: Start = start_process, broker: str = "valkey"
) -> list[Claim]:
    """Start servers, workers, two API processes, clients and a browser below `root`, kill them, and judge.

    Call it from the main thread.
    """
    folder = root / "environment"
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        runs: list[UploadRun] = []
        origin = stack.enter_context(serve_harness(lambda: f"http://127.0.0.1:{runs[0].links[0].port}"))
        servers = stack.enter_context(Servers(root / "servers", broker=broker))
        make_template(servers, "kills")
        environment = stack.enter_context(
            Environment(
                servers,
                folder,
                "kills",
                quick=_QUICK,
                start=start,
                upload_abandoned_after=plan.abandoned_after,
                cors_origins=(origin,),
            )
        )
        run = UploadRun(environment, plan, _new_browser(plan, environment, origin), say)
        runs.append(run)
        run.run()
        claims = check_uploads(run)
        say(f"the kills:\n\n{kill_table(run)}\n")
        return claims


def _new_browser(plan: UploadPlan, environment: Environment, origin: str) -> BrowserRecorder | None:
    program = browser_program()
    if not plan.with_browser or program is None:
        return None
    sessions = [environment.new_session() for _n in range(_SESSIONS)]
    home = environment.folder / "chromium"
    return BrowserRecorder(program, home, origin, tutor_token(), sessions, seed=plan.seed + 3)
