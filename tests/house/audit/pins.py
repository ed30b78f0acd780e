"""What requirements.txt pins, and so what the image has."""

import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]


def pinned(requirements: str) -> dict[str, str]:
    """Version by name of what this platform and Python install of a file that `make lock` wrote."""
    lines = re.findall(r"^([A-Za-z0-9][^\\\n]*)", requirements, re.MULTILINE)
    parsed = [Requirement(line.strip()) for line in lines]
    return {
        canonicalize_name(each.name): str(each.specifier).removeprefix("==")
        for each in parsed
        if each.marker is None or each.marker.evaluate()
    }


def pinned_here() -> dict[str, str]:
    """The same of this project."""
    return pinned((ROOT / "requirements.txt").read_text())
