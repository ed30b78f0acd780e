"""Processes that start processes, and a look at what is left of them."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

Starter = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def starter() -> Iterator[Starter]:
    """`starter(script, *arguments)`: another Python that runs `script`; killed at the end of the test."""
    started: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: object, **options: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)], stdout=subprocess.PIPE, text=True, **options
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def gone() -> Callable[[int], bool]:
    """`gone(pid)`: whether that process ends within ten seconds; a zombie nobody has buried yet has ended."""

    def ended(pid: int) -> bool:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                    return True
            except psutil.NoSuchProcess:
                return True
            time.sleep(0.02)
        return False

    return ended
