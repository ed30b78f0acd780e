import signal

import pytest

from tests.conftest import Starter
from tests.waiting import TIMEOUT

_WAITER = """
import signal, sys, time
from devstack.signals import interrupted_by_signals
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)  # whatever the shell of the tests ignores
SETUP
try:
    with interrupted_by_signals():
        try:
            print("ready", flush=True)
            time.sleep(60)
        finally:
            print("cleaning", flush=True)
            sys.stdin.readline()
            print("clean", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_cleaning_up_is_not_cut_short(starter: Starter, first: signal.Signals) -> None:
    process = starter(_WAITER.replace("SETUP", ""), stdin=-1)
    assert process.line() == "ready\n"

    process.send_signal(first)
    assert process.line() == "cleaning\n"
    for again in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        process.send_signal(again)
    output, _ = process.communicate("\n", timeout=TIMEOUT)

    assert output == "clean\ninterrupted\n"
    assert process.returncode == 0


def test_nohup_stays_in_force(starter: Starter) -> None:
    process = starter(_WAITER.replace("SETUP", "signal.signal(signal.SIGHUP, signal.SIG_IGN)"), stdin=-1)
    assert process.line() == "ready\n"

    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)

    output, _ = process.communicate("\n", timeout=TIMEOUT)
    assert output == "cleaning\nclean\ninterrupted\n"
