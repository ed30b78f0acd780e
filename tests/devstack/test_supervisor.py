import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from devstack.errors import StartupFailed
from devstack.probes import shows
from devstack.supervisor import Service, pause_before, start_services, stop_services

# Touches its sign when it is ready and says goodbye when asked to stop.
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


@pytest.fixture
def service(tmp_path: Path):
    made: list[Service] = []

    def make(name: str = "polite", script: str = _POLITE, slowness: float = 0.0) -> Service:
        sign = tmp_path / f"{name}.sign"
        command = [sys.executable, "-c", script, str(sign), str(slowness)]
        service = Service(name, command, tmp_path / f"{name}.log", os.environ, shows(sign), sign)
        made.append(service)
        return service

    yield make
    for service in made:
        service.stop(0)


def _tend_until(service: Service, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not reached():
        assert time.monotonic() < deadline
        service.tend()
        time.sleep(0.02)


def test_it_is_ready_when_it_says_so(service) -> None:
    one = service()
    one.start()
    one.wait()

    assert one._sign.exists()
    one.tend()
    assert one.process.exit_code is None


def test_an_old_sign_does_not_count(service) -> None:
    one = service(script="import time; time.sleep(60)")
    one._sign.touch()

    one.start()

    assert not one._sign.exists()


def test_an_end_by_itself_is_made_good(service) -> None:
    one = service()
    one.start()
    one.wait()
    first = one.process.pid

    one.process.signal(signal.SIGKILL)
    _tend_until(one, lambda: one.process is None)
    assert not psutil.pid_exists(first)
    _tend_until(one, lambda: one.process is not None)
    one.wait()

    assert one.process.pid != first


def test_pauses_grow_while_it_keeps_ending(service) -> None:
    one = service(script="raise SystemExit(1)")
    one.start()
    started = time.monotonic()
    ends = 0

    while ends < 2:
        before = one.process
        one.tend()
        ends += before is not None and one.process is None
        time.sleep(0.01)
        assert time.monotonic() - started < 10

    assert time.monotonic() - started >= pause_before(1)
    assert one._restarts == 2


def test_the_pause_has_a_limit() -> None:
    assert [pause_before(n) for n in (1, 2, 3)] == [0.5, 1.0, 2.0]
    assert pause_before(10_000) == 30.0


def test_all_stop_at_once_the_last_asked_first(service) -> None:
    services = [service(name, slowness=0.4) for name in ("first", "second", "third")]
    start_services(services)
    started = time.monotonic()

    stop_services(services)

    assert time.monotonic() - started < 1.1
    assert all(one.process is None for one in services)
    assert all("bye" in one.log.read_text() for one in services)
    stop_services(services)


def test_when_one_does_not_start_none_is_left(service) -> None:
    good, bad = service("good"), service("bad", script="raise SystemExit('no luck')")

    with pytest.raises(StartupFailed, match=r"(?s)bad ended with 1 .*no luck"):
        start_services([good, bad])

    assert good.process is None
    assert bad.process is None
