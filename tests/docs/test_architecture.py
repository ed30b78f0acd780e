"""The architecture page names files that exist, and every layer of the package."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
PATHS = sorted(set(re.findall(r"`((?:worker|tasks|models|migrations|tests|benchmarks)/[\w/.]+)`", PAGE)))


@pytest.mark.parametrize("path", PATHS)
def test_its_paths_exist(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_package_is_in_the_picture() -> None:
    packages = {path.parent.name for path in (ROOT / "worker").glob("*/__init__.py")}
    assert [name for name in sorted(packages) if not re.search(rf"\b{name}\b", PAGE)] == []
