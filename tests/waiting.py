"""How tests wait: they poll for a state, and never sleep for a fixed time.

A test passes as soon as the state is reached; the cap only ends a run in which it never is.
"""

import time
from collections.abc import Callable
from typing import TypeVar

# Seconds between two looks at most, unless a test chooses more. A look at the API or a table takes milliseconds of CPU.
_LONGEST_PAUSE = 0.1
# Seconds; out of reach of what works, also on a busy machine at a quarter of the usual speed.
TIMEOUT = 180.0

State = TypeVar("State")


def wait_for(
    state: Callable[[], State | None],
    *,
    within: float = TIMEOUT,
    pause: float = 0.02,
    details: Callable[[], object] = lambda: "nothing more is known",
) -> State:
    """Call `state` until it returns something true, and return that; `details` are shown when it never does.

    The pauses grow by a tenth each, so that a test goes on at most that much later than it could.
    """
    end = time.monotonic() + within
    while not (reached := state()):
        assert time.monotonic() < end, f"not reached within {within:g} s: {details()}"
        time.sleep(pause)
        pause = max(pause, min(pause * 1.1, _LONGEST_PAUSE))
    return reached
