"""Zones come from the pinned database only, and hostile names open nothing."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import tzdata
from hypothesis import given, settings
from hypothesis import strategies as st
from tzlocal.windows_tz import win_tz

from worker.calendars.zones import tzdata_version, zone, zone_name, zone_names
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
    process = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.strip() == "['-0500', '+0300']"


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
        "A" * 10_000,
        "zones",
        "__init__.py",
        "Ethiopia",
        "EAT",
        "UTC+3",
        "Factory",
        "localtime",
        "posixrules",
        "factory",
        "EAT ",
        "Standard Time",
    ],
)
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        zone(name)
    assert len(refused.value.detail) < 200


@pytest.mark.parametrize("name", ["Africa/Addis Ababa", "Africa/Adis_Abeba", "EAT", "Ethiopia"])
def test_a_near_name_is_suggested(name: str) -> None:
    with pytest.raises(InvalidInput, match="did you mean Africa/Addis_Ababa"):
        zone(name)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Africa/Addis_Ababa ", "Africa/Addis_Ababa"),
        ("\tAfrica/Addis_Ababa\r\n", "Africa/Addis_Ababa"),
        ("africa/ADDIS_ABABA", "Africa/Addis_Ababa"),
        ("E. Africa Standard Time", "Africa/Addis_Ababa"),
        ("e. africa standard time ", "Africa/Addis_Ababa"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Arab Standard Time", "Asia/Riyadh"),
        ("utc", "UTC"),
        # Links of older releases stay what they are called.
        ("Africa/Asmera", "Africa/Asmera"),
        ("US/Eastern", "US/Eastern"),
        ("Etc/GMT-3", "Etc/GMT-3"),
        ("GB", "GB"),
    ],
)
def test_what_is_meant_is_found(written: str, name: str) -> None:
    assert zone_name(written) == name
    assert zone(written).key == name


def test_every_windows_name_is_a_zone_and_no_name_is_two() -> None:
    for windows in win_tz:
        assert zone_name(windows) in zone_names()
    assert len({name.casefold() for name in zone_names()}) == len(zone_names())


@pytest.mark.parametrize(
    ("offset", "place"),
    [
        ("UTC+3", "Africa/Addis_Ababa"),
        ("GMT+03:00", "Africa/Addis_Ababa"),
        ("+0300", "Africa/Addis_Ababa"),
        ("UTC +3", "Africa/Addis_Ababa"),
        ("utc-03:30", "Africa/Addis_Ababa"),
        ("UTC+5:30", "Asia/Calcutta"),
        ("UTC+0", "UTC"),
        ("UTC-7", "America/Mazatlan"),
        ("UTC+99", "Africa/Addis_Ababa"),
    ],
)
def test_an_offset_is_no_zone_and_a_place_that_has_it_is_named(offset: str, place: str) -> None:
    with pytest.raises(InvalidInput, match=f"name one, like {place}") as refused:
        zone(offset)
    assert "offset" in refused.value.detail


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_a_zone_or_refused_in_a_sentence(text: str) -> None:
    try:
        name = zone_name(text)
    except InvalidInput as refusal:
        name, refusal_text = "UTC", refusal.detail
    else:
        refusal_text = ""
    assert name in zone_names()
    assert len(refusal_text) < 250
