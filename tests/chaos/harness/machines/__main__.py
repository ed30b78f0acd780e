"""`python -m tests.chaos.harness.machines`: one machine against three, one of which is lost; and a report."""

import argparse
import sys
import time

from devstack.directories import scratch_directory
from tests.chaos.harness.__main__ import judged, print_line
from tests.chaos.harness.machines.session import carry_out_scale
from tests.chaos.harness.machines.tutors import Size
from tests.chaos.harness.session import as_table
from tests.forking.forked_process import ForkServer


def main() -> int:
    """0 when every claim holds."""
    parser = argparse.ArgumentParser(prog="machines", description=__doc__)
    parser.add_argument("--recordings", type=int, default=Size.recordings, help="of a tutor, in each turn")
    parser.add_argument("--jobs", type=int, default=Size.quick_jobs, help="that do nothing, in each turn")
    parser.add_argument("--reminders", type=int, default=Size.reminders, help="in each turn")
    parser.add_argument("--rounds", type=int, default=2, help="turns of one machine, and of all")
    parser.add_argument("--minutes", type=float, default=8.0, help="a run that takes longer has failed")
    arguments = parser.parse_args()
    began = time.monotonic()

    def say(what: str) -> None:
        print_line(f"{time.monotonic() - began:7.1f}  {what}")

    size = Size(recordings=arguments.recordings, quick_jobs=arguments.jobs, reminders=arguments.reminders)
    with scratch_directory() as root, ForkServer(root) as server:
        claims = carry_out_scale(
            size, root, say, start=server.start, seconds=60 * arguments.minutes, rounds=arguments.rounds
        )
    print_line("\n" + as_table(claims))
    return judged(claims)


if __name__ == "__main__":
    sys.exit(main())
