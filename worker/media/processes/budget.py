"""The limits of one run of ffmpeg or ffprobe: time, processor, memory, disk, and the caller's request to stop."""

from dataclasses import dataclass

# Address space, not resident memory: the binary alone maps 180 MB and each thread reserves a stack.
_MEMORY_BYTES = 2 * 1024**3
# Of each further input: it has up to half a dozen threads, whose stacks are 8 MB. At most 20 MB of it are resident.
_INPUT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Budget:
    """The limits of one run. Times are seconds, sizes bytes."""

    wall_seconds: float
    # Without progress for this long, it hangs.
    stall_seconds: float = 30.0
    # Processor time without progress after which the input is rejected; None for inputs of our own.
    idle_cpu_seconds: float | None = None
    # Address space.
    memory_bytes: int = _MEMORY_BYTES
    # Largest file it may write; None for no cap.
    file_bytes: int | None = None


def idle_cpu_seconds(size_bytes: int) -> float:
    """The most processor time that reading this many bytes of an untrusted file may take without progress.

    A lesson of six hours in its smallest form, 24 MB with a million packets, takes a second without any output.
    """
    return 3 + size_bytes / 8_000_000


def memory_for(inputs: int) -> int:
    """The address space for a run that reads this many files at once."""
    return _MEMORY_BYTES + inputs * _INPUT_BYTES


def never() -> bool:
    """The `should_stop` of a caller that never stops."""
    return False


def copy_budget(size_bytes: int) -> Budget:
    """The budget for copying this many bytes. ffmpeg reports no progress while it moves the index to the front."""
    return Budget(
        wall_seconds=120 + size_bytes / 5_000_000,
        stall_seconds=30 + size_bytes / 10_000_000,
        idle_cpu_seconds=idle_cpu_seconds(size_bytes),
        file_bytes=size_bytes * 2 + 64 * 1024 * 1024,
    )
