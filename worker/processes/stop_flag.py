"""Whether a worker shuts down, readable by its children at any time."""

import mmap


class StopFlag:
    """A byte of anonymous memory that is inherited by a fork. Make it before the first fork."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)

    def set(self) -> None:
        """Of the main process: children begin no further job."""
        self._memory[0] = 1

    def is_set(self) -> bool:
        """Whether it is set, in whichever process."""
        return self._memory[0] == 1
