"""Rules in plain English."""

from datetime import date, time

import pytest

from worker.recurrence.describe import describe
from worker.recurrence.rule import parse_rule

FIRST = date(2026, 1, 7)
TIMES = ", 14:00 to 15:00 (Africa/Addis_Ababa)"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (
            "FREQ=WEEKLY;BYDAY=MO,WE,FR;UNTIL=20270131",
            f"Every Monday, Wednesday and Friday{TIMES}, until 31 January 2027",
        ),
        ("FREQ=WEEKLY", f"Every Wednesday{TIMES}"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", f"Every Monday to Friday{TIMES}"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", f"Every day{TIMES}"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", f"Every 2 weeks on Tuesday from 7 January 2026{TIMES}"),
        ("FREQ=WEEKLY;BYDAY=MO;BYMONTH=1,3", f"Every Monday in January and March{TIMES}"),
        ("FREQ=WEEKLY;BYDAY=MO;BYMONTH=9,10,11,12", f"Every Monday in September to December{TIMES}"),
        ("FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=1", f"Every week on the first of Monday and Wednesday{TIMES}"),
        ("FREQ=DAILY", f"Every day{TIMES}"),
        ("FREQ=DAILY;INTERVAL=3;COUNT=10", f"Every 3 days from 7 January 2026{TIMES}, 10 times"),
        ("FREQ=DAILY;COUNT=1", f"Every day{TIMES}, once"),
        ("FREQ=DAILY;BYDAY=SA,SU", f"Every Saturday and Sunday{TIMES}"),
        ("FREQ=MONTHLY", f"Every month on the 7th{TIMES}"),
        (
            "FREQ=MONTHLY;BYMONTHDAY=1,2,3,11,22",
            f"Every month on the 1st, the 2nd, the 3rd, the 11th and the 22nd{TIMES}",
        ),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", f"Every month on the last day{TIMES}"),
        ("FREQ=MONTHLY;BYMONTHDAY=-2", f"Every month on the 2nd to last day{TIMES}"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=-1", f"Every month on the last of all days{TIMES}"),
        ("FREQ=MONTHLY;BYDAY=-1FR", f"Every month on the last Friday{TIMES}"),
        ("FREQ=MONTHLY;BYDAY=1MO,3MO", f"Every month on the first Monday and the third Monday{TIMES}"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", f"Every month on the 13th that is a Friday{TIMES}"),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            f"Every month on the last of Monday to Friday{TIMES}",
        ),
        ("FREQ=YEARLY", f"Every year on the 7th of January{TIMES}"),
        ("FREQ=YEARLY;BYMONTH=5;BYDAY=2SU", f"Every year on the second Sunday of May{TIMES}"),
        ("FREQ=YEARLY;BYDAY=20MO", f"Every year on the 20th Monday{TIMES}"),
        (
            "RSCALE=ETHIOPIC;FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=1;UNTIL=20270901",
            f"Every year on the 1st of Tir of the Ethiopian calendar{TIMES}, until 1 September 2027 (26 Nehase 2019)",
        ),
    ],
)
def test_rules_are_told(rule: str, text: str) -> None:
    assert describe(parse_rule(rule), time(14), time(15), "Africa/Addis_Ababa", FIRST) == text


@pytest.mark.parametrize(
    ("rule", "omission"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=31", "; months without a 31st are left out"),
        ("FREQ=MONTHLY;BYMONTHDAY=30", "; months without a 30th are left out"),
        ("FREQ=MONTHLY;BYMONTHDAY=29,31", "; months without a 29th and 31st are left out"),
        ("FREQ=MONTHLY;BYMONTHDAY=-31", "; months without a 31st are left out"),
        ("FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=1,3", ""),
        ("FREQ=MONTHLY;BYMONTHDAY=28", ""),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ""),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "; years without 29 February are left out"),
        ("RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD", "; in months without a 31st it is the last day"),
        ("RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD", "it is the first day of the next month"),
        ("FREQ=MONTHLY;BYDAY=5FR", "; months without a fifth one are left out"),
        ("FREQ=MONTHLY;BYDAY=4FR", ""),
        ("RSCALE=ETHIOPIC;FREQ=MONTHLY;BYMONTHDAY=5", ""),
        ("RSCALE=ETHIOPIC;FREQ=MONTHLY;BYMONTHDAY=7", "; months without a 7th (Pagume) are left out"),
        ("RSCALE=ETHIOPIC;FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=1,12", ""),
        ("RSCALE=ETHIOPIC;FREQ=YEARLY;BYMONTH=13;BYMONTHDAY=6", "; years without 6 Pagume are left out"),
        ("RSCALE=ETHIOPIC;FREQ=MONTHLY;BYMONTHDAY=6,22", "; months without a 6th and 22nd (Pagume) are left out"),
        (
            "RSCALE=ETHIOPIC;FREQ=MONTHLY;BYMONTHDAY=30;SKIP=BACKWARD",
            "; in months without a 30th (Pagume) it is the last day of the month",
        ),
        ("FREQ=DAILY;BYMONTHDAY=31", ""),
    ],
)
def test_what_a_rule_leaves_out_is_told(rule: str, omission: str) -> None:
    text = describe(parse_rule(rule), time(14), time(15), "Africa/Addis_Ababa", FIRST)
    assert omission in text
    assert (";" in text) == bool(omission)


def test_the_31st_of_the_first_day_is_told_too() -> None:
    text = describe(parse_rule("FREQ=MONTHLY"), time(14), time(15), "UTC", date(2026, 1, 31))
    assert text == "Every month on the 31st, 14:00 to 15:00 (UTC); months without a 31st are left out"


@pytest.mark.parametrize(
    ("dates", "text"),
    [
        ([], "On Wednesday 7 January 2026"),
        ([date(2026, 1, 5)], "On Monday 5 January 2026"),
        ([date(2026, 1, 5), date(2026, 2, 3)], "On 5 January 2026 and 3 February 2026"),
        ([date(2026, 1, day) for day in range(1, 11)], "On 10 days from 1 January 2026 to 10 January 2026"),
    ],
)
def test_dates_are_told(dates: list[date], text: str) -> None:
    assert describe(dates, time(14), time(15), "Africa/Addis_Ababa", FIRST) == f"{text}{TIMES}"


def test_an_end_on_the_next_day_is_told() -> None:
    text = describe(parse_rule("FREQ=DAILY"), time(22, 30), time(1), "Africa/Addis_Ababa", FIRST)
    assert text == "Every day, 22:30 to 01:00 the next day (Africa/Addis_Ababa)"
