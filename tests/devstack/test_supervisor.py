import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from devstack.errors import StartupFailed
from devstack.process import ChildProcess
from devstack.supervisor import Service, pause_before, start_services, stop_services
from tests.waiting import wait_for

# Touches its ready file when it is ready. Asked to stop, it ends once as many were asked as its second argument says.
_POLITE = """
import pathlib, signal, sys, time
def stop(*_):
    ready = pathlib.Path(sys.argv[1])
    ready.with_suffix(".asked").touch()
    while len(list(ready.parent.glob("*.asked"))) < int(sys.argv[2]):
        time.sleep(0.02)
    print("bye", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
time.sleep(0.1)
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""


MakeService = Callable[..., Service]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[MakeService]:
    services: list[Service] = []

    def make(name: str = "polite", script: str = _POLITE, together: int = 1) -> Service:
        file = tmp_path / f"{name}.ready"
        command = [sys.executable, "-c", script, str(file), str(together)]
        service = Service(name, command, tmp_path / f"{name}.log", os.environ, ready_file=file)
        services.append(service)
        return service

    yield make
    for service in services:
        service.stop(0)


def ready_file_of(service: Service) -> Path:
    assert service._ready_file is not None
    return service._ready_file


def process_of(service: Service) -> ChildProcess:
    assert service.process is not None
    return service.process


def _check_until(service: Service, reached: Callable[[], bool]) -> None:
    def checked() -> bool:
        service.check()
        return reached()

    wait_for(checked)


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
    ending = service(script="raise SystemExit(1)")
    ending.start()

    _check_until(ending, lambda: ending._restarts == 2)

    assert ending.process is None


def test_the_pause_has_a_limit() -> None:
    assert [pause_before(n) for n in (1, 2, 3)] == [0.5, 1.0, 2.0]
    assert pause_before(10_000) == 30.0


def test_all_stop_at_once_the_last_asked_first(service: MakeService) -> None:
    """None ends before all have been asked: one after the other they would be killed, and not say goodbye."""
    services = [service(name, together=3) for name in ("first", "second", "third")]
    start_services(services)

    stop_services(services)

    assert all(each.process is None for each in services)
    assert all("bye" in each.log.read_text() for each in services)
    stop_services(services)


def test_when_one_does_not_start_none_is_left(service: MakeService) -> None:
    good, bad = service("good"), service("bad", script="raise SystemExit('no luck')")

    with pytest.raises(StartupFailed, match=r"(?s)bad ended with 1 .*no luck"):
        start_services([good, bad])

    assert good.process is None
    assert bad.process is None
