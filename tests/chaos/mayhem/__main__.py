"""`python -m tests.chaos.mayhem`: one seeded run, its events as they come, and a report."""

import argparse
import random
import sys
import time
from pathlib import Path

from devstack.directories import scratch_directory
from tests.chaos.mayhem.plan import FAULTS, make_plan
from tests.chaos.mayhem.session import as_table, carry_out


def main() -> int:
    """0 when every claim holds."""
    parser = argparse.ArgumentParser(prog="mayhem", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--quick", type=float, default=1.0, help="how many times shorter than in production")
    parser.add_argument("--only", nargs="*", choices=sorted(FAULTS), default=(), help="only these faults")
    parser.add_argument("--keep", type=Path, help="keep logs and the event log in this folder")
    arguments = parser.parse_args()
    began = time.monotonic()

    def say(what: str) -> None:
        print_line(f"{time.monotonic() - began:7.1f}  {what}")

    print_line(f"seed {arguments.seed}, {arguments.minutes:g} minutes, {arguments.jobs} jobs")
    plan = make_plan(
        arguments.seed, seconds=60 * arguments.minutes, jobs=arguments.jobs, quick=arguments.quick, only=arguments.only
    )
    with scratch_directory() as scratch:
        claims = carry_out(plan, arguments.keep.absolute() if arguments.keep else scratch, say)
    print_line("\n" + as_table(claims))
    return 0 if all(line.holds for line in claims) else 1


def print_line(line: str) -> None:
    """Print without buffering."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
