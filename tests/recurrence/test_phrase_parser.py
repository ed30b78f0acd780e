"""Patterns as people type them, and the errors for ambiguous ones."""

import contextlib
import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.calendars.zones import zone
from worker.errors import InvalidInput
from worker.recurrence.phrase_parser import parse_phrase
from worker.recurrence.rule import parse_rule

WEDNESDAY = date(2026, 1, 7)  # 29 Tahsas 2018


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("every Monday, Wednesday, Friday", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
        ("Every Monday, Wednesday and Friday", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
        ("  EVERY   monday ,WEDNESDAY,\tfriday. ", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
        ("Mondays & Wednesdays", "FREQ=WEEKLY;BYDAY=MO,WE"),
        ("Mon/Wed/Fri", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
        ("Tues, Thurs.", "FREQ=WEEKLY;BYDAY=TU,TH"),
        ("weekly on Sun", "FREQ=WEEKLY;BYDAY=SU"),
        ("Mon-Fri", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("from Saturday to Monday", "FREQ=WEEKLY;BYDAY=MO,SA,SU"),
        ("daily, Monday through Thursday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH"),
        ("weekdays", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("every weekday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("weekends", "FREQ=WEEKLY;BYDAY=SA,SU"),
        ("each weekend", "FREQ=WEEKLY;BYDAY=SA,SU"),
        ("weekly", "FREQ=WEEKLY;BYDAY=WE"),
        ("every week", "FREQ=WEEKLY;BYDAY=WE"),
        ("daily", "FREQ=DAILY"),
        ("every day", "FREQ=DAILY"),
        ("every other day", "FREQ=DAILY;INTERVAL=2"),
        ("every three days", "FREQ=DAILY;INTERVAL=3"),
        ("every 2 weeks on Tuesday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"),
        ("every other Friday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR"),
        ("every 2 Mondays", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"),
        ("every other week on Mon and Thu", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH"),
        ("every second week", "FREQ=WEEKLY;INTERVAL=2;BYDAY=WE"),
        ("biweekly", "FREQ=WEEKLY;INTERVAL=2;BYDAY=WE"),
        ("bi-weekly on Mondays", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"),
        ("fortnightly on Wed", "FREQ=WEEKLY;INTERVAL=2;BYDAY=WE"),
        ("monthly", "FREQ=MONTHLY;BYMONTHDAY=7"),
        ("monthly on the 15th", "FREQ=MONTHLY;BYMONTHDAY=15"),
        ("monthly on 15", "FREQ=MONTHLY;BYMONTHDAY=15"),
        ("on the 15th day of each month", "FREQ=MONTHLY;BYMONTHDAY=15"),
        ("every month on the 1st and the 15th", "FREQ=MONTHLY;BYMONTHDAY=1,15"),
        ("monthly on the last Friday", "FREQ=MONTHLY;BYDAY=-1FR"),
        ("every last Friday", "FREQ=MONTHLY;BYDAY=-1FR"),
        ("monthly on the second last Friday", "FREQ=MONTHLY;BYDAY=-2FR"),
        ("the 3rd to last Friday", "FREQ=MONTHLY;BYDAY=-3FR"),
        ("every second-to-last Friday", "FREQ=MONTHLY;BYDAY=-2FR"),
        ("monthly on the second and last Friday", "FREQ=MONTHLY;BYDAY=-1FR,2FR"),
        ("monthly on the 2nd, last Friday", "FREQ=MONTHLY;BYDAY=-1FR,2FR"),
        ("first and second to last Friday", "FREQ=MONTHLY;BYDAY=-2FR,1FR"),
        ("on the second to last day of the month", "FREQ=MONTHLY;BYMONTHDAY=-2"),
        ("on the last day of the month", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ("first and third Monday of the month", "FREQ=MONTHLY;BYDAY=1MO,3MO"),
        ("every second Friday of the month", "FREQ=MONTHLY;BYDAY=2FR"),
        ("every Monday until 2027-01-31", "FREQ=WEEKLY;UNTIL=20270131;BYDAY=MO"),
        ("every Monday until 31 January 2027", "FREQ=WEEKLY;UNTIL=20270131;BYDAY=MO"),
        ("every Monday till January 31st, 2027", "FREQ=WEEKLY;UNTIL=20270131;BYDAY=MO"),
        ("weekly until the 31st of January 2027", "FREQ=WEEKLY;UNTIL=20270131;BYDAY=WE"),
        ("weekly for 10 weeks", "FREQ=WEEKLY;UNTIL=20260317;BYDAY=WE"),
        ("daily for 3 days", "FREQ=DAILY;UNTIL=20260109"),
        ("every Sunday for a year", "FREQ=WEEKLY;UNTIL=20270106;BYDAY=SU"),
        ("weekly for the next 3 months", "FREQ=WEEKLY;UNTIL=20260406;BYDAY=WE"),
        ("weekly for ten times", "FREQ=WEEKLY;COUNT=10;BYDAY=WE"),
        ("every Monday, 10 times", "FREQ=WEEKLY;COUNT=10;BYDAY=MO"),
        ("monthly on the 3rd, 10x", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=3"),
        ("every Friday for 8 lessons", "FREQ=WEEKLY;COUNT=8;BYDAY=FR"),
        ("FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO"),
        ("rrule:freq=weekly", "FREQ=WEEKLY"),
        ("every Monday until 5 Pagume 2018", "FREQ=WEEKLY;UNTIL=20260910;BYDAY=MO"),
    ],
)
def test_what_people_type_is_this_rule(text: str, rule: str) -> None:
    assert str(parse_phrase(text, WEDNESDAY)) == rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("monthly on the 5th", "RSCALE=ETHIOPIC;FREQ=MONTHLY;BYMONTHDAY=5"),
        ("monthly", "RSCALE=ETHIOPIC;FREQ=MONTHLY;BYMONTHDAY=29"),
        ("every Monday", "FREQ=WEEKLY;BYDAY=MO"),
        ("every Monday until 30 Tir 2019", "FREQ=WEEKLY;UNTIL=20270207;BYDAY=MO"),
        ("weekly for 2 months", "FREQ=WEEKLY;UNTIL=20260307;BYDAY=WE"),
        ("weekly for 13 months", "FREQ=WEEKLY;UNTIL=20270106;BYDAY=WE"),
        ("weekly for one year", "FREQ=WEEKLY;UNTIL=20270106;BYDAY=WE"),
    ],
)
def test_in_the_ethiopian_calendar_months_are_ethiopian(text: str, rule: str) -> None:
    assert str(parse_phrase(text, WEDNESDAY, calendar="ethiopian")) == rule


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("every Moonday", "“Moonday” was not understood; did you mean “Monday”?"),
        ("evry Friday", "“evry” was not understood; did you mean “every”?"),
        ("every Wendsday", "did you mean “Wednesday”?"),
        ("weekly until 3 Febuary 2027", "did you mean “February”?"),
        ("montly", "did you mean “monthly”?"),
        ("twice a week", "“twice” was not understood. Understood are"),
        ("🙂", "“🙂” was not understood"),
        ("x" * 400, "“" + "x" * 40 + "…” was not understood"),
        ("", "was not understood as a pattern"),
        ("   ", "was not understood as a pattern"),
        ("every", "does not say how often"),
        ("until 2027-01-31", "does not say how often"),
        ("on the", "was not understood as a pattern"),
        ("every Monday at 14:00", "the time of day is start_time"),
        ("every Monday 14:00", "“14:00” has no place in the pattern"),
        ("hourly", "the time of day is start_time"),
        ("every day except Sunday", "days to leave out are exdates"),
        ("weekly starting 2026-01-01", "the day it begins is schedule_date"),
        ("every second Friday", "say “every 2 weeks on Friday” or “monthly on the 2nd Friday”"),
        ("every 3rd Friday", "say “every 3 weeks on Friday” or “monthly on the 3rd Friday”"),
        ("monthly on Monday", "say “every Monday” or “monthly on the first Monday”"),
        ("yearly on the 15th", "an RRULE with FREQ=YEARLY"),
        ("every year on March 15th", "was not understood as a pattern"),
        ("every Monday in January", "months are the field months"),
        ("the last weekday of every month", "was not understood as a pattern"),
        ("the 15th", "does not say how often"),
        ("daily on the 5th", "“daily” has no day of the month"),
        ("weekly on the 5th", "“weekly” has no day of the month"),
        ("every 2 days on Monday", "cannot be on some weekdays only"),
        ("monthly on the 32nd", "must be 1 to 31"),
        ("monthly on the 0th", "must be 1 to 31"),
        ("monthly on the sixth Friday", "“sixth” was not understood"),
        ("monthly on the 6th Friday", "must be 1 to 5"),
        ("every Monday and the 15th", "was not understood as a pattern"),
        ("the last Friday and the 15th of the month", "was not understood as a pattern"),
        ("weekly and monthly", "was not understood as a pattern"),
        ("every 2 weeks, every 3 weeks", "was not understood as a pattern"),
        ("every 0 weeks", "INTERVAL must be 1 to 1000"),
        ("every 5000 weeks", "INTERVAL must be"),
        ("every 99999999 weeks", "was not understood"),
        ("weekly 0 times", "COUNT must be 1 to 10000"),
        ("weekly until tomorrow", "“tomorrow” was not understood"),
        ("weekly until 31 January", "After “until” comes a day"),
        ("weekly until", "was not understood as a pattern"),
        ("weekly until 2027-02-30", "There is no day 2027-02-30"),
        ("weekly until 30 February 2027", "There is no day 30 February 2027"),
        ("weekly until 6 Pagume 2018", "There is no day 6 of month 13"),
        ("weekly until 2027-01-31 until 2028-01-31", "After “until” comes a day"),
        ("weekly for 10 weeks, 10 times", "was not understood as a pattern"),
        ("weekly for 5000 weeks", "must be 1 to 1000"),
        ("weekly for", "was not understood as a pattern"),
        ("weekly for 3", "was not understood as a pattern"),
        ("weekly for Monday", "was not understood as a pattern"),
        ("last", "was not understood as a pattern"),
        ("2027-01-31", "was not understood as a pattern"),
        ("week", "was not understood as a pattern"),
        ("every other 15th of the month", "was not understood as a pattern"),
        ("FREQ=HOURLY", "FREQ must be"),
        ("Monday=Tuesday", "is not a part of a rule"),
        ("a" * 501, "longer than 500 characters"),
    ],
)
def test_what_nobody_can_know_is_refused_with_help(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_phrase(text, WEDNESDAY)
    assert message in refused.value.detail
    assert len(refused.value.detail) < 700


def test_an_unknown_calendar_is_refused() -> None:
    with pytest.raises(InvalidInput, match="calendar must be gregorian or ethiopian"):
        parse_phrase("weekly", WEDNESDAY, calendar="julian")


def test_an_rrule_ends_in_the_time_of_its_lessons() -> None:
    rule = parse_phrase("FREQ=DAILY;UNTIL=20270131T210000Z", WEDNESDAY, zone=zone("Africa/Addis_Ababa"))
    assert rule.until == date(2027, 2, 1)


VOCABULARY = re.findall(
    r"\S+",
    """every each other on the of in and to from until for next times day week month year days weeks
    daily weekly monthly yearly weekdays weekend Monday Tue Fridays January March Pagume Tir last first 2nd
    15th 31 0 1 2 10 2027 2027-01-31 , - / a one""",
)


@settings(deadline=None)
@given(st.lists(st.sampled_from(VOCABULARY), max_size=9), st.sampled_from(["gregorian", "ethiopian"]))
def test_words_in_any_order_make_a_rule_or_a_refusal(words: list[str], calendar: str) -> None:
    try:
        rule = parse_phrase(" ".join(words), WEDNESDAY, calendar=calendar)
    except InvalidInput:
        return
    assert parse_rule(str(rule)) == rule


@settings(deadline=None)
@given(st.text(max_size=80))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        parse_phrase(text, WEDNESDAY)
