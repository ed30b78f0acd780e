"""Whether a worker is shutting down, readable by its children at any time."""

import mmap


class StopFlag:
    """A byte of anonymous memory that forks inherit. Create it before the first fork."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)

    def set(self) -> None:
        """Tell the children to start no further job; called in the main process."""
        self._memory[0] = 1

    def is_set(self) -> bool:
        """Whether it was set, in any process."""
        return self._memory[0] == 1
