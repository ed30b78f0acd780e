"""The table of docs/operations.md has everything that is stored, with settings and jobs that exist."""

import re
from pathlib import Path

import pytest

from models.metadata import metadata
from worker.canvases.snapshots.names import FOLDER as SNAPSHOTS
from worker.jobs.orders.registered import order_kinds
from worker.recordings.objects.names import FOLDER as RECORDINGS
from worker.settings import Settings
from worker.uploads.spool_writer import PART
from worker.uploads.upload_file import DATA, LOCK

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def section() -> str:
    _, _, rest = PAGE.read_text().partition("## What is kept, and for how long\n")
    return rest.partition("\n## ")[0]


def rows() -> list[list[str]]:
    lines = [line for line in section().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| stored")]


def words(column: int) -> list[str]:
    return [word for row in rows() for word in re.findall(r"`([^`]+)`", row[column])]


def test_each_table_stands_there_once() -> None:
    assert sorted(word for word in words(0) if re.fullmatch("[a-z_]+", word) and word != "work") == sorted(
        metadata.tables
    )


def test_the_prefixes_of_objects_and_the_files_of_the_spool_stand_there() -> None:
    assert {RECORDINGS, SNAPSHOTS, DATA, LOCK, PART, "work"} <= set(words(0))


def test_its_settings_exist() -> None:
    settings = {word for word in words(1) if word.isupper()}
    assert {name for name in settings if name.lower() not in Settings.model_fields} == set()
    # Every retention that can be set stands there.
    assert {name.upper() for name in Settings.model_fields if name.endswith("_retention")} <= settings


def test_its_jobs_exist() -> None:
    assert {word for word in words(2) if "." in word} - set(order_kinds()) == set()


@pytest.mark.parametrize("row", rows())
def test_what_has_an_age_is_deleted_by_a_job(row: list[str]) -> None:
    assert all(row)
    if re.search(r"_RETENTION|_AGE\b", row[1]):
        assert re.search(r"`[a-z]+\.[a-z_]+`", row[2]), row
