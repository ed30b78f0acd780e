"""A complete run, from the start of its servers to its report."""

from contextlib import ExitStack
from pathlib import Path

from benchmarks.messages.due import mail_sink
from tests.chaos.harness.environment import Environment, make_database
from tests.chaos.harness.machines.machine import Machine
from tests.chaos.harness.machines.report import check_scale
from tests.chaos.harness.machines.run import Say, ScaleRun
from tests.chaos.harness.machines.tutors import Size, Tutors
from tests.chaos.harness.report import Claim
from tests.chaos.harness.servers import Servers
from tests.forking.forked_process import Start
from worker.settings import Settings

# Eight workers; two of the machines have an API and a beat.
WORKERS = (("default,reminders", "media", "media"), ("default,reminders", "media", "media"), ("media", "media"))
_DATABASE = "machines"
# How many times as often as in production processes write their heartbeats at most: a busy one is late, and after three
# that are missing it counts as lost.
_MAX_HEARTBEATS = 4.0


def carry_out_scale(
    size: Size,
    root: Path,
    say: Say,
    *,
    start: Start,
    seconds: float,
    rounds: int = 1,
    workers: tuple[tuple[str, ...], ...] = WORKERS,
    quick: float = 1.0,
) -> list[Claim]:
    """Start servers and machines below `root`, let them work, and judge. Call it from the main thread."""
    folder = root / "environment"
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        servers = stack.enter_context(Servers(root / "servers"))
        make_database(servers, _DATABASE)
        sink = stack.enter_context(mail_sink(folder))
        assert servers.b2 is not None
        changes = {
            # Without the proxies, whose work is none of an installation's.
            "database_url": servers.postgres.url(_DATABASE),
            "redis_url": servers.broker.url(),
            "backblaze_realm": servers.b2.credentials.realm,
            "smtp_host": "127.0.0.1",
            "smtp_port": sink.port,
            "heartbeat_interval": Settings.model_fields["heartbeat_interval"].default / min(quick, _MAX_HEARTBEATS),
            # What every machine can make of what is on B2.
            "renditions": ("audio-aac",),
        }
        environment = stack.enter_context(Environment(servers, folder, _DATABASE, quick=quick, start=start, **changes))
        tutors = Tutors(environment, size)
        stack.callback(tutors.close)
        tutors.prepare()
        machines = [
            Machine(environment, f"addis-{number}", queues, is_entry=any("default" in names for names in queues))
            for number, queues in enumerate(workers, 1)
        ]
        for machine in machines:
            stack.callback(machine.kill)
        run = ScaleRun(environment, machines, tutors, say, seconds=seconds)
        run.run(size, rounds=rounds)
        return check_scale(run, sink.output)
