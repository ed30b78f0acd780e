"""`python -m tests.chaos.harness`: seeded runs, their events as they come, and reports."""

import argparse
import random
import sys
import time
from pathlib import Path

from devstack.directories import scratch_directory
from tests.chaos.harness.brokers import BROKERS
from tests.chaos.harness.plan import FAULTS, make_plan
from tests.chaos.harness.rendition_kills import carry_out_rendition_kills
from tests.chaos.harness.report import Claim
from tests.chaos.harness.rolling_session import carry_out_rolling
from tests.chaos.harness.session import as_table, carry_out
from tests.chaos.harness.uploads.kills import make_upload_plan
from tests.chaos.harness.uploads.run import Say
from tests.chaos.harness.uploads.session import browser_program, carry_out_kills
from tests.forking.forked_process import ForkServer
from tests.jobs.live import rabbitmq

# Seconds from one restart of everything to the next.
_EVERY = 20.0


def main() -> int:
    """0 when every claim holds."""
    parser = argparse.ArgumentParser(prog="harness", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--quick", type=float, default=1.0, help="how many times shorter than in production")
    parser.add_argument("--broker", choices=sorted(BROKERS), default="valkey", help="rabbitmq: Debian's, quorum queues")
    parser.add_argument("--only", nargs="*", choices=sorted(FAULTS), default=(), help="only these faults")
    parser.add_argument("--uploads", action="store_true", help="only kill what records, sends and stores uploads")
    parser.add_argument("--renditions", action="store_true", help="only kill what makes renditions and pictures")
    parser.add_argument("--rolling", action="store_true", help="only restart everything in order, again and again")
    parser.add_argument("--restarts", type=int, default=9, help="so many of them, 20 s apart; 0: leave this part out")
    parser.add_argument("--kills", type=int, default=200, help="so many of them; 0: leave this part out")
    parser.add_argument("--keep", type=Path, help="keep logs and the event log in this folder")
    arguments = parser.parse_args()
    if arguments.broker == "rabbitmq" and not rabbitmq.is_installed():
        parser.error("RabbitMQ is not installed (apt-get install rabbitmq-server)")
    began = time.monotonic()

    def say(what: str) -> None:
        print_line(f"{time.monotonic() - began:7.1f}  {what}")

    with scratch_directory() as scratch:
        root = arguments.keep.absolute() if arguments.keep else scratch
        claims: list[Claim] = []
        if arguments.renditions:
            return judged(kill_renditions(arguments, root / "renditions", say))
        if arguments.rolling:
            return judged(restart_everything(arguments, root / "rolling", say))
        if not arguments.uploads:
            claims += break_ledger(arguments, root, say)
        if arguments.kills and not arguments.only:
            claims += kill_uploads(arguments, root / "uploads", say)
        if arguments.restarts and not arguments.only and not arguments.uploads:
            claims += restart_everything(arguments, root / "rolling", say)
    return judged(claims)


def judged(claims: list[Claim]) -> int:
    """0 when every claim holds."""
    return 0 if all(line.holds for line in claims) else 1


def break_ledger(arguments: argparse.Namespace, root: Path, say: Say) -> list[Claim]:
    """Inject every fault for some minutes."""
    print_line(f"seed {arguments.seed}, {arguments.minutes:g} minutes, {arguments.jobs} jobs, {arguments.broker}")
    plan = make_plan(
        arguments.seed, seconds=60 * arguments.minutes, jobs=arguments.jobs, quick=arguments.quick, only=arguments.only
    )
    claims = carry_out(plan, root, say, broker=arguments.broker)
    print_line("\n" + as_table(claims))
    return claims


def kill_uploads(arguments: argparse.Namespace, root: Path, say: Say) -> list[Claim]:
    """Kill what records, sends and stores uploads."""
    has_browser = browser_program() is not None
    if not has_browser:
        print_line("`chromium` is not installed: no browser records, and none is killed")
    print_line(f"seed {arguments.seed}, {arguments.kills} kills while uploads are recorded")
    plan = make_upload_plan(arguments.seed, kills=arguments.kills, with_browser=has_browser)
    # Dozens of processes start again: how long an interpreter takes to import everything is not the question here.
    with ForkServer(root) as server:
        claims = carry_out_kills(plan, root, say, start=server.start, broker=arguments.broker)
    print_line("\n" + as_table(claims))
    return claims


def kill_renditions(arguments: argparse.Namespace, root: Path, say: Say) -> list[Claim]:
    """Kill what makes renditions and pictures of short recordings."""
    print_line(f"seed {arguments.seed}, {arguments.kills} kills while renditions are made")
    root.mkdir(parents=True, exist_ok=True)
    with ForkServer(root) as server:
        claims = carry_out_rendition_kills(
            arguments.seed, arguments.kills, root, say, start=server.start, broker=arguments.broker
        )
    print_line("\n" + as_table(claims))
    return claims


def restart_everything(arguments: argparse.Namespace, root: Path, say: Say) -> list[Claim]:
    """Restart API, workers and beat by SIGTERM while they have work."""
    print_line(f"seed {arguments.seed}, {arguments.restarts} restarts of everything, one each {_EVERY:g} s")
    claims = carry_out_rolling(
        arguments.seed, arguments.restarts, _EVERY, root, say, quick=arguments.quick, broker=arguments.broker
    )
    print_line("\n" + as_table(claims))
    return claims


def print_line(line: str) -> None:
    """Print without buffering."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
