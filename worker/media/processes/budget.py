"""The limits of one run of ffmpeg or ffprobe: time, processor, memory, disk, and the caller's request to stop."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """The limits of one run. Times are seconds, sizes bytes."""

    wall_seconds: float
    # Without progress for this long, it hangs.
    stall_seconds: float = 30.0
    # Processor time without progress after which the input is rejected; None for inputs of our own.
    idle_cpu_seconds: float | None = None
    # Address space, not resident memory: the binary alone maps 180 MB and each thread reserves a stack.
    memory_bytes: int = 2 * 1024**3
    # Largest file it may write; None for no cap.
    file_bytes: int | None = None


def idle_cpu_seconds(size_bytes: int) -> float:
    """The most processor time that reading this many bytes of an untrusted file may take without progress.

    A lesson of six hours in its smallest form, 24 MB with a million packets, takes a second without any output.
    """
    return 3 + size_bytes / 8_000_000


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
