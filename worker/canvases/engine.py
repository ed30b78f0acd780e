"""The drawing engine, loaded when something is first drawn.

skia-python links libGL and libEGL, also for drawing without a screen. Where these are missing its import fails; what
draws nothing must not fail with it, and need not carry its 60 MB either.
"""

from importlib import import_module
from typing import Any

from worker.errors import Misconfigured

# What Debian and Ubuntu call them.
PACKAGES = ("libgl1", "libegl1")


class EngineMissing(Misconfigured):
    """The drawing engine cannot be loaded on this machine."""

    code, title = "drawing-engine-missing", "The drawing engine is missing"


class _Engine:
    """Stands for the module `skia` and loads it at the first look."""

    def __getattr__(self, name: str) -> Any:
        self.__dict__.update(vars(load_engine()))
        return getattr(self, name)


def load_engine() -> Any:
    """The module `skia`. Raises EngineMissing, which names what to install."""
    try:
        return import_module("skia")
    except ImportError as error:
        raise EngineMissing(
            f"Boards cannot be drawn on this machine: {error}. Install {' and '.join(PACKAGES)}"
            f" (`apt-get install {' '.join(PACKAGES)}`) and start this process again."
        ) from error


skia: Any = _Engine()
