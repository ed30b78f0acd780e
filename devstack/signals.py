"""Handle signals that end a foreground command like Ctrl-C, so that every `with` block is left."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """During the block the first terminating signal raises KeyboardInterrupt and later ones are ignored.

    A second Ctrl-C would otherwise interrupt the clean-up. A signal that was ignored before (`nohup`) stays ignored.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for ending in before:
            signal.signal(ending, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {ending: signal.getsignal(ending) for ending in _ENDING}
    before = {ending: handler for ending, handler in before.items() if handler != signal.SIG_IGN}
    for ending in before:
        signal.signal(ending, interrupt)
    try:
        yield
    finally:
        for ending, handler in before.items():
            signal.signal(ending, handler)
