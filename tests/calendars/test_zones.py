"""Zones come from the pinned database only, and hostile names open nothing."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import tzdata

from worker.calendars.zones import tzdata_version, zone, zone_names
from worker.errors import InvalidInput


def test_every_zone_of_the_database_loads_and_keeps_its_name() -> None:
    assert len(zone_names()) > 500
    for name in zone_names():
        assert zone(name).key == name


def test_a_zone_is_read_once() -> None:
    assert zone("Africa/Addis_Ababa") is zone("Africa/Addis_Ababa")


def test_zones_come_from_the_wheel_and_not_from_the_machine(tmp_path: Path) -> None:
    wheel = Path(tzdata.__file__).parent / "zoneinfo"
    (tmp_path / "Africa").mkdir()
    shutil.copy(wheel / "America" / "New_York", tmp_path / "Africa" / "Addis_Ababa")
    script = (
        "from datetime import datetime; from zoneinfo import ZoneInfo; from worker.calendars.zones import zone;"
        "print([datetime(2026, 1, 1, tzinfo=each('Africa/Addis_Ababa')).strftime('%z') for each in (ZoneInfo, zone)])"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "['-0500', '+0300']"


def test_addis_ababa_is_three_hours_ahead() -> None:
    moment = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(zone("Africa/Addis_Ababa"))
    assert moment.utcoffset() == timedelta(hours=3)


def test_the_release_of_the_database_is_known() -> None:
    assert tzdata_version() == tzdata.IANA_VERSION


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../../etc/passwd",
        "/etc/localtime",
        "Africa/../Africa/Addis_Ababa",
        "Africa",
        "Africa/Addis_Ababa\0",
        "\0",
        "Africa/Addis_Ababa\n",
        "A" * 10_000,
        "zones",
        "__init__.py",
        "Ethiopia",
        "EAT",
        "UTC+3",
    ],
)
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        zone(name)
    assert len(refused.value.detail) < 200


@pytest.mark.parametrize("name", ["africa/addis_ababa", "Africa/Addis Ababa", "Africa/Adis_Abeba"])
def test_a_near_name_is_suggested(name: str) -> None:
    with pytest.raises(InvalidInput, match="did you mean Africa/Addis_Ababa"):
        zone(name)
