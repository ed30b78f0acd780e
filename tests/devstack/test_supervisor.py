import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from devstack.errors import StartupFailed
from devstack.process import ChildProcess
from devstack.supervisor import Service, pause_before, start_services, stop_services

# Touches its ready file when it is ready and says goodbye when asked to stop.
_POLITE = """
import pathlib, signal, sys, time
def stop(*_):
    time.sleep(float(sys.argv[2]))
    print("bye", time.monotonic(), flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
time.sleep(0.1)
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""


MakeService = Callable[..., Service]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[MakeService]:
    made: list[Service] = []

    def make(name: str = "polite", script: str = _POLITE, slowness: float = 0.0) -> Service:
        file = tmp_path / f"{name}.ready"
        command = [sys.executable, "-c", script, str(file), str(slowness)]
        service = Service(name, command, tmp_path / f"{name}.log", os.environ, ready_file=file)
        made.append(service)
        return service

    yield make
    for service in made:
        service.stop(0)


def ready_file_of(service: Service) -> Path:
    assert service._ready_file is not None
    return service._ready_file


def process_of(service: Service) -> ChildProcess:
    assert service.process is not None
    return service.process


def _check_until(service: Service, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not reached():
        assert time.monotonic() < deadline
        service.check()
        time.sleep(0.02)


def test_it_is_ready_when_it_says_so(service: MakeService) -> None:
    polite = service()
    polite.start()
    polite.wait()

    assert ready_file_of(polite).exists()
    polite.check()
    assert process_of(polite).exit_code is None


def test_an_old_ready_file_does_not_count(service: MakeService) -> None:
    silent = service(script="import time; time.sleep(60)")
    ready_file_of(silent).touch()

    silent.start()

    assert not ready_file_of(silent).exists()


def test_an_end_by_itself_is_made_good(service: MakeService) -> None:
    polite = service()
    polite.start()
    polite.wait()
    first = process_of(polite).pid

    process_of(polite).signal(signal.SIGKILL)
    _check_until(polite, lambda: polite.process is None)
    assert not psutil.pid_exists(first)
    _check_until(polite, lambda: polite.process is not None)
    polite.wait()

    assert process_of(polite).pid != first


def test_pauses_grow_while_it_keeps_ending(service: MakeService) -> None:
    one = service(script="raise SystemExit(1)")
    one.start()
    started = time.monotonic()
    ends = 0

    while ends < 2:
        before = one.process
        one.check()
        ends += before is not None and one.process is None
        time.sleep(0.01)
        assert time.monotonic() - started < 10

    assert time.monotonic() - started >= pause_before(1)
    assert one._restarts == 2


def test_the_pause_has_a_limit() -> None:
    assert [pause_before(n) for n in (1, 2, 3)] == [0.5, 1.0, 2.0]
    assert pause_before(10_000) == 30.0


def test_all_stop_at_once_the_last_asked_first(service: MakeService) -> None:
    services = [service(name, slowness=0.4) for name in ("first", "second", "third")]
    start_services(services)
    started = time.monotonic()

    stop_services(services)

    assert time.monotonic() - started < 1.1
    assert all(one.process is None for one in services)
    assert all("bye" in one.log.read_text() for one in services)
    stop_services(services)


def test_when_one_does_not_start_none_is_left(service: MakeService) -> None:
    good, bad = service("good"), service("bad", script="raise SystemExit('no luck')")

    with pytest.raises(StartupFailed, match=r"(?s)bad ended with 1 .*no luck"):
        start_services([good, bad])

    assert good.process is None
    assert bad.process is None
