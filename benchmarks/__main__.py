"""`python -m benchmarks [--only NAME] [--quick]`: measure, print tables, publish the figures."""

import argparse
import os

from rich.console import Console

from benchmarks.harness.machine import describe_machine, wait_for_quiet
from benchmarks.harness.report import Results, print_figure
from benchmarks.harness.scale import FULL, QUICK
from benchmarks.registry import FIGURES
from worker.logs import configure_logs
from worker.settings import Settings


def main() -> None:
    """Measure the requested figures. A quick run tests the benchmarks themselves; its figures are not published."""
    words = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    words.add_argument("--only", choices=FIGURES, action="append", help="measure this figure; may be given again")
    words.add_argument("--quick", action="store_true", help="tiny sizes, nothing is written down")
    arguments = words.parse_args()
    _forget_settings()
    configure_logs("ERROR")
    console = Console()
    results = Results.read()
    for name in arguments.only or FIGURES:
        console.rule(name)
        busy = 0.0 if arguments.quick else wait_for_quiet()
        figure = FIGURES[name](QUICK if arguments.quick else FULL)
        print_figure(console, figure)
        if not arguments.quick:
            results.keep(name, figure, busy)
            results.write(describe_machine(), list(FIGURES))


def _forget_settings() -> None:
    """Measure embedded parts only: a million rows must not be written to a database named by the environment."""
    for name in [name for name in os.environ if name.lower() in Settings.model_fields]:
        del os.environ[name]


if __name__ == "__main__":
    main()
