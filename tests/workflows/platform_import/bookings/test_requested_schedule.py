"""The platform's forms of requested times: what each means, and which mean nothing."""

import json
from datetime import time
from pathlib import Path
from typing import Any

import pytest

from worker.errors import InvalidInput
from worker.workflows.platform_import.bookings.requested_schedule import requested_schedule

PAYLOADS = json.loads((Path(__file__).parents[3] / "data" / "platform" / "payloads.json").read_text())
CLOCK = {"start_time": "17:00", "end_time": "19:00", "timezone": "Africa/Addis_Ababa"}


def read(form: Any, times: tuple[time | None, time | None] = (time(17), time(19))) -> Any:
    return requested_schedule(
        schedule_type=form.get("schedule_type"),
        years=form.get("year_range"),
        months=form.get("months"),
        days=form.get("days"),
        dates=form.get("specific_dates"),
        times=times,
        timezone="Africa/Addis_Ababa",
    )


@pytest.mark.parametrize("form", PAYLOADS["schedule_forms_that_mean_nothing"])
def test_forms_that_mean_nothing(form: Any) -> None:
    assert read(form) is None


@pytest.mark.parametrize(
    ("form", "meaning"),
    [
        *zip(
            [case["body"] for case in PAYLOADS["schedule_forms_that_mean_something"]],
            [
                {"schedule_type": "recurring", "days": ["Tuesday", "Thursday", "Saturday"], "months": ["October"]},
                {
                    "schedule_type": "recurring",
                    "days": ["Monday"],
                    "months": ["November", "December"],
                    "year": 2026,
                    "year_to": 2027,
                },
                {"schedule_type": "specific", "specific_dates": ["2026-10-06"]},
            ],
            strict=True,
        )
    ],
)
def test_forms_that_mean_something(form: Any, meaning: Any) -> None:
    assert read(form) == meaning | CLOCK


def test_without_times_of_day_it_says_nothing() -> None:
    assert read({"schedule_type": "recurring", "days": ["Monday"]}, (time(9), None)) is None


def test_a_day_that_is_none() -> None:
    with pytest.raises(InvalidInput, match="Noday"):
        read({"schedule_type": "recurring", "days": ["Noday"]})
