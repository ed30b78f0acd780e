"""The glossary defines each term once, and names tables, classes and routes that exist."""

import importlib
import re
from collections import Counter
from pathlib import Path

import pytest

from models.metadata import metadata
from worker.api import app

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"
HEADER = ["term", "meaning", "table", "class", "route"]


def rows() -> list[dict[str, str]]:
    lines = [line for line in GLOSSARY.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(HEADER, row, strict=True)) for row in cells if row != HEADER and not row[0].startswith("-")]


def names(column: str) -> list[str]:
    return [name for row in rows() for name in re.findall(r"`([^`]+)`", row[column])]


def test_each_term_stands_once_with_one_sentence() -> None:
    terms = Counter(row["term"] for row in rows())
    assert [term for term, times in terms.items() if times > 1] == []
    assert [row["term"] for row in rows() if not row["meaning"].endswith(".")] == []
    assert len(terms) >= 25


@pytest.mark.parametrize("table", sorted(set(names("table"))))
def test_its_tables_exist(table: str) -> None:
    assert table in metadata.tables


@pytest.mark.parametrize("name", sorted(set(names("class"))))
def test_its_classes_exist(name: str) -> None:
    module, _, cls = name.rpartition(".")
    assert isinstance(getattr(importlib.import_module(module), cls), type)


@pytest.mark.parametrize("route", sorted(set(names("route"))))
def test_its_routes_exist(route: str) -> None:
    assert route in {known.path for module in app._MODULES for known in module.router.routes}
