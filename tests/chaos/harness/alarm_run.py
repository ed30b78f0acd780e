"""`make alarms`: each incident with production intervals, and the seconds until its alarms fired and stopped."""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from devstack.directories import scratch_directory
from tests.chaos.harness.alarms import Alarms, OwnAlarms, read_rules, wait_until_firing
from tests.chaos.harness.incidents import Incident, incidents_of
from tests.chaos.harness.installation import Installation
from tests.chaos.harness.prometheus import Prometheus
from tests.chaos.harness.servers import Servers

# Seconds. Mail that was put off is tried again after a pause of five minutes at most, the rest notices a repair sooner.
FIRES_WITHIN = 120.0
STOPS_WITHIN = 420.0
_EVERY = 1.0
_DISK = "64m"


@dataclass(frozen=True)
class Line:
    """One alarm of a incident: the seconds until it fired, and from the repair until it stopped; None: it never did."""

    incident: str
    alarm: str
    fired: float | None
    stopped: float | None

    @property
    def is_good(self) -> bool:
        """Whether it fired in time and stopped."""
        return self.fired is not None and self.fired <= FIRES_WITHIN and self.stopped is not None


def main() -> int:
    """0 when every alarm fires within two minutes and stops."""
    parser = argparse.ArgumentParser(prog="alarm_run", description=__doc__)
    parser.add_argument("--only", default="", help="only incidents whose name holds this")
    parser.add_argument("--keep", type=Path, help="keep logs in this folder")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        scratch = stack.enter_context(scratch_directory())
        folder = (arguments.keep or scratch).absolute() / "environment"
        stack.enter_context(small_disk(folder / "spool"))
        servers = stack.enter_context(Servers(scratch / "servers"))
        installation = stack.enter_context(Installation(servers, folder, quick=1.0))
        if Prometheus.is_installed():
            alarms: Alarms = stack.enter_context(
                Prometheus(installation.environment.settings.api_port, folder / "prometheus")
            )
        else:
            print_line(
                "Prometheus is not installed (Debian: apt-get install prometheus): the rules are evaluated by us"
            )
            alarms = OwnAlarms(installation.metrics, quick=1.0)
        lines = []
        for incident in incidents_of(installation):
            if arguments.only in incident.name:
                lines += measure(incident, alarms)
                for line in lines[-len(incident.alarms) :]:
                    print_line(as_row(line))
    print_line("\n" + as_table(lines))
    return 0 if all(line.is_good for line in lines) else 1


def measure(incident: Incident, alarms: Alarms) -> list[Line]:
    """Let it happen while no alarm fires, and take the times of its alarms."""
    # The disk here is small: an alarm of the other group may fire all the time.
    parts = {rule.name for rule in read_rules("astegni-parts")}
    wait_until_firing(alarms, parts.isdisjoint, within=STOPS_WITHIN, details=str, every=_EVERY)
    with incident.lasting():
        fired = take_times(lambda: alarms.firing() & set(incident.alarms), set(incident.alarms), FIRES_WITHIN + 60)
    stopped = take_times(lambda: set(incident.alarms) - alarms.firing(), set(incident.alarms), STOPS_WITHIN)
    incident.afterwards()
    return [Line(incident.name, alarm, fired.get(alarm), stopped.get(alarm)) for alarm in incident.alarms]


def take_times(read: Callable[[], set[str]], names: set[str], within: float) -> dict[str, float]:
    """The seconds until `read` first returned each of the names, as far as that was in time."""
    began = time.monotonic()
    times: dict[str, float] = {}
    while names - set(times) and (seconds := time.monotonic() - began) < within:
        times |= dict.fromkeys(read() - set(times), seconds)
        time.sleep(_EVERY)
    return times


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of its own, where it may be mounted (only root may): it can become full."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    if not mounted:
        print_line("No right to mount a file system: what happens on a full disk is not measured")
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def as_row(line: Line) -> str:
    """A row of the table of docs/operations.md."""
    return f"| {line.incident} | `{line.alarm}` | {_text(line.fired)} | {_text(line.stopped)} |"


def as_table(lines: list[Line]) -> str:
    """The whole table."""
    head = "| incident | alarm | fires after, s | stops after the repair, s |\n| --- | --- | --- | --- |"
    return "\n".join([head, *map(as_row, lines)])


def _text(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.0f}"


def print_line(line: str) -> None:
    """Print at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
