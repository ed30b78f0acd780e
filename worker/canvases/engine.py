"""The drawing engine, loaded on first use.

skia-python links libGL and libEGL, even for off-screen drawing, and its import fails where they are missing. Processes
that draw nothing must not fail with it, nor spend 60 MB of memory on it.
"""

from importlib import import_module
from typing import Any

from worker.errors import Misconfigured

# Their names in Debian and Ubuntu.
PACKAGES = ("libgl1", "libegl1")


class EngineMissing(Misconfigured):
    """The drawing engine cannot be loaded on this machine."""

    code, title = "drawing-engine-missing", "The drawing engine is missing"


class _Engine:
    """A proxy of the module `skia` that loads it on the first attribute access."""

    def __getattr__(self, name: str) -> Any:
        self.__dict__.update(vars(load_engine()))
        return getattr(self, name)


def load_engine() -> Any:
    """Import and return the module `skia`. Raises EngineMissing, which names the packages to install."""
    try:
        return import_module("skia")
    except ImportError as error:
        raise EngineMissing(
            f"Boards cannot be drawn on this machine: {error}. Install {' and '.join(PACKAGES)}"
            f" (`apt-get install {' '.join(PACKAGES)}`) and start this process again."
        ) from error


skia: Any = _Engine()
