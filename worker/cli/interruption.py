"""Let a command that a signal ends leave its `with` blocks first, which remove half-written files."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# As shells report a program that a signal ended.
_EXIT_SIGNALLED = 128


@contextmanager
def cleaned_up_on_signals() -> Iterator[None]:
    """Leave the block by KeyboardInterrupt at the first ending signal, then end the process; ignore further ones.

    Python itself leaves no block at SIGTERM, and a second Ctrl-C would interrupt the clean-up. A signal that was
    ignored before (`nohup`) stays ignored.
    """
    received: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        for ending in before:
            signal.signal(ending, signal.SIG_IGN)
        received.append(number)
        raise KeyboardInterrupt

    before = {ending: signal.getsignal(ending) for ending in _ENDING}
    before = {ending: handler for ending, handler in before.items() if handler != signal.SIG_IGN}
    for ending in before:
        signal.signal(ending, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        if not received:
            raise
        name = signal.Signals(received[0]).name
        sys.stderr.write(f"astegni: ended by {name}; what was half written is removed.\n")
        sys.exit(_EXIT_SIGNALLED + received[0])
    finally:
        for ending, handler in before.items():
            signal.signal(ending, handler)
