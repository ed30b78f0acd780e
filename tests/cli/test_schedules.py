"""`astegni schedules preview`: a table for people, and one sentence when there is none."""

import subprocess

import pytest
from typer.testing import CliRunner

from worker.cli.local_stack.command import astegni
from worker.cli.local_stack.environment import environment_without_settings
from worker.cli.schedules import app


def preview(*words: str) -> list[list[str]]:
    """The lines of the answer, each as its words."""
    done = CliRunner().invoke(app, ["preview", *words], env={"TIMEZONE": "Africa/Addis_Ababa"}, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return [line.split() for line in done.output.splitlines()]


def test_a_rule_is_told_and_its_days_are_listed() -> None:
    text, rule, _, *days = preview("FREQ=WEEKLY;BYDAY=MO,WE,FR", "--from", "2026-01-01", "--count", "3")
    assert " ".join(text) == "Every Monday, Wednesday and Friday, 14:00 to 15:00 (Africa/Addis_Ababa)"
    assert rule == ["FREQ=WEEKLY;BYDAY=MO,WE,FR"]
    assert days == [
        ["1", "2026-01-02", "Friday", "14:00", "to", "15:00", "2026-01-02T11:00Z"],
        ["2", "2026-01-05", "Monday", "14:00", "to", "15:00", "2026-01-05T11:00Z"],
        ["3", "2026-01-07", "Wednesday", "14:00", "to", "15:00", "2026-01-07T11:00Z"],
    ]


def test_the_ethiopian_calendar_stands_beside() -> None:
    *_, row = preview(
        "RSCALE=ETHIOPIC;FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1",
        "--from",
        "2026-01-01",
        "--calendar",
        "ethiopian",
        "--count",
        "1",
    )
    assert row[1] == "2026-09-11"
    assert row[-5:] == ["1", "Meskerem", "2019", "8:00", "(afternoon)"]


def test_a_time_that_clocks_skip_is_shown_as_the_wall_shows_it() -> None:
    where = ("--zone", "America/New_York", "--start", "02:30", "--end", "03:30")
    *_, row = preview("daily", "--from", "2026-03-08", "--count", "1", *where)
    assert row[3:] == ["03:30", "to", "04:30", "2026-03-08T07:30Z"]


def test_no_day_is_shown_after_until() -> None:
    *_, last = preview("daily", "--from", "2026-01-01", "--until", "2026-01-04")
    assert last[:2] == ["4", "2026-01-04"]


def test_without_a_pattern_it_is_one_lesson() -> None:
    text, _, row = preview("", "--from", "2026-01-07")
    assert text[:4] == ["On", "Wednesday", "7", "January"]
    assert row[:2] == ["1", "2026-01-07"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["every Moonday"], "did you mean “Monday”?"),
        (["daily", "--start", "25:00"], "--start must be a time like 14:00"),
    ],
)
def test_an_error_is_one_sentence_and_exit_1(words: list[str], message: str) -> None:
    done = subprocess.run(
        astegni("schedules", "preview", *words),
        env=environment_without_settings(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("astegni: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
