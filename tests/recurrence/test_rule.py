"""Rules in the words of RFC 5545 and RFC 7529: read, refused with a reason, written back."""

from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.calendars.zones import zone
from worker.errors import InvalidInput
from worker.recurrence.rule import Rule, parse_rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("FREQ=DAILY", Rule("DAILY")),
        ("RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR", Rule("WEEKLY", by_day=((0, 0), (0, 2), (0, 4)))),
        ("  rrule:freq=weekly;byday=we,mo,we;wkst=su; ", Rule("WEEKLY", by_day=((0, 0), (0, 2)), week_start=6)),
        ("FREQ=MONTHLY;BYDAY=-1FR,+2MO", Rule("MONTHLY", by_day=((2, 0), (-1, 4)))),
        ("FREQ=MONTHLY;BYMONTHDAY=-1,15;INTERVAL=2", Rule("MONTHLY", interval=2, by_month_day=(15, -1))),
        ("FREQ=MONTHLY;BYDAY=MO,FR;BYSETPOS=-1", Rule("MONTHLY", by_day=((0, 0), (0, 4)), by_set_pos=(-1,))),
        ("FREQ=YEARLY;COUNT=3", Rule("YEARLY", count=3)),
        ("FREQ=DAILY;UNTIL=20270131", Rule("DAILY", until=date(2027, 1, 31))),
        (
            "RSCALE=ETHIOPIC;FREQ=YEARLY;BYMONTH=13;BYMONTHDAY=6;SKIP=BACKWARD",
            Rule("YEARLY", by_month=(13,), by_month_day=(6,), rscale="ETHIOPIC", skip="BACKWARD"),
        ),
        (
            "RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD",
            Rule("MONTHLY", by_month_day=(31,), skip="FORWARD"),
        ),
    ],
)
def test_rules_are_read(text: str, rule: Rule) -> None:
    assert parse_rule(text) == rule


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a part of a rule"),
        ("RRULE:", "not a part of a rule"),
        ("every Monday", "not a part of a rule"),
        ("INTERVAL=2", "needs a FREQ"),
        ("FREQ=HOURLY", "FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=MINUTELY;INTERVAL=15", "FREQ must be"),
        ("FREQ=SECONDLY", "FREQ must be"),
        ("FREQ=DAILY;BYHOUR=9", "BYHOUR is not supported: the time of day is the lesson's start_time"),
        ("FREQ=DAILY;BYMINUTE=9", "start_time"),
        ("FREQ=DAILY;BYSECOND=9", "start_time"),
        ("FREQ=YEARLY;BYYEARDAY=100", "BYYEARDAY is not supported"),
        ("FREQ=YEARLY;BYWEEKNO=20", "BYWEEKNO is not supported"),
        ("FREQ=YEARLY;BYEASTER=0", "'BYEASTER' is not a part"),
        ("FREQ=WEEKLY;FREQ=DAILY", "FREQ twice"),
        ("FREQ=WEEKLY;BYDAY=MO;BYDAY=TU", "BYDAY twice"),
        ("FREQ=WEEKLY;;BYDAY=MO", "not a part"),
        ("FREQ=WEEKLY;BYDAY=", "not a part"),
        ("FREQ=WEEKLY;BYDAY=XX", "'XX' is no weekday"),
        ("FREQ=MONTHLY;BYDAY=0MO", "'0MO' is no weekday"),
        ("FREQ=MONTHLY;BYDAY=6MO", "must be 1 to 5 or -1 to -5"),
        ("FREQ=YEARLY;BYDAY=54MO", "must be 1 to 53"),
        ("FREQ=WEEKLY;BYDAY=2MO", "needs FREQ=MONTHLY"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "no meaning in a weekly rule"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY must be"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY must be 1 to 31"),
        ("RSCALE=ETHIOPIC;FREQ=MONTHLY;BYMONTHDAY=31", "BYMONTHDAY must be 1 to 30"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH must be 1 to 12"),
        ("RSCALE=ETHIOPIC;FREQ=YEARLY;BYMONTH=14", "BYMONTH must be 1 to 13"),
        ("RSCALE=ETHIOPIC;FREQ=YEARLY;BYMONTH=5L", "whole number"),
        ("RSCALE=HEBREW;FREQ=YEARLY", "RSCALE must be GREGORIAN or ETHIOPIC"),
        ("RSCALE=ETHIOPIC;FREQ=YEARLY;SKIP=SIDEWAYS", "SKIP must be"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be 1 to 1000"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL must be"),
        ("FREQ=DAILY;INTERVAL=1001", "INTERVAL must be"),
        ("FREQ=DAILY;INTERVAL=1e3", "whole number"),
        ("FREQ=DAILY;INTERVAL=1_0", "whole number"),
        ("FREQ=DAILY;INTERVAL=\u0663", "whole number"),
        ("FREQ=DAILY;INTERVAL=" + "9" * 400, "whole number"),
        ("FREQ=DAILY;COUNT=0", "COUNT must be 1 to 10000"),
        ("FREQ=DAILY;COUNT=10001", "COUNT must be"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270131", "COUNT and UNTIL"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS picks among"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", "BYSETPOS must be"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367", "BYSETPOS must be"),
        ("FREQ=DAILY;UNTIL=2027-01-31", "UNTIL must look like"),
        ("FREQ=DAILY;UNTIL=20270231", "does not exist"),
        ("FREQ=DAILY;UNTIL=20270131T256060", "does not exist"),
        ("FREQ=DAILY;UNTIL=00000101", "does not exist"),
        ("FREQ=DAILY\nFREQ=DAILY", "FREQ must be"),
        ("FREQ=DAILY" + ";" * 600, "longer than 500"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_rule(text)
    assert reason in refused.value.detail


@settings(deadline=None)
@given(st.text(max_size=60) | st.text(alphabet="FREQ=DAILYWKTUBN;0123,-+MOS\0é", max_size=60))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    try:
        rule = parse_rule(text)
    except InvalidInput:
        return
    assert parse_rule(str(rule)) == rule


WHOLE_LISTS = st.sampled_from(["GREGORIAN", "ETHIOPIC"])


@settings(deadline=None)
@given(
    rscale=WHOLE_LISTS,
    freq=st.sampled_from(["MONTHLY", "YEARLY"]),
    interval=st.integers(1, 1000),
    ends=st.one_of(st.none(), st.integers(1, 10_000), st.dates()),
    by_month=st.lists(st.integers(1, 12)),
    by_month_day=st.lists(st.integers(1, 30) | st.integers(-30, -1), max_size=4),
    by_day=st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 6)), min_size=1, max_size=4),
    by_set_pos=st.lists(st.integers(1, 366) | st.integers(-366, -1), max_size=2),
    week_start=st.integers(0, 6),
    skip=st.sampled_from(["OMIT", "BACKWARD", "FORWARD"]),
)
def test_every_rule_comes_back_from_its_text(ends: object, **parts: object) -> None:
    lists = {name: tuple(part) if isinstance(part, list) else part for name, part in parts.items()}
    rule = Rule(
        **lists,  # type: ignore[arg-type]
        count=ends if isinstance(ends, int) else None,
        until=ends if isinstance(ends, date) else None,
    )
    assert parse_rule(str(rule)) == rule
    assert parse_rule(f"RRULE:{str(rule).lower()}") == rule


class TestUntil:
    """UNTIL comes in three forms; a rule keeps the last local day."""

    @pytest.mark.parametrize(
        ("until", "start", "name", "last"),
        [
            # A bare date is that day whole, also where the start is late.
            ("20270131", time(23, 59), "America/New_York", date(2027, 1, 31)),
            ("20270131T140000", time(14), "Africa/Addis_Ababa", date(2027, 1, 31)),
            ("20270131T135959", time(14), "Africa/Addis_Ababa", date(2027, 1, 30)),
            # Nine in the evening in UTC is the next day in Addis Ababa.
            ("20270131T210000Z", time(0), "Africa/Addis_Ababa", date(2027, 2, 1)),
            ("20270131T205959Z", time(0), "Africa/Addis_Ababa", date(2027, 1, 31)),
            ("20270131T110000Z", time(14), "Africa/Addis_Ababa", date(2027, 1, 31)),
            ("20270131T105959Z", time(14), "Africa/Addis_Ababa", date(2027, 1, 30)),
            ("20270201T045959Z", time(20), "America/New_York", date(2027, 1, 31)),
            # In the repeated hour the lesson begins at the first 01:30, before the second 01:15.
            ("20261101T061500Z", time(1, 30), "America/New_York", date(2026, 11, 1)),
        ],
    )
    def test_until_is_the_last_day_that_begins_by_then(self, until: str, start: time, name: str, last: date) -> None:
        assert parse_rule(f"FREQ=DAILY;UNTIL={until}", zone=zone(name), start_time=start).until == last

    def test_an_instant_needs_the_zone(self) -> None:
        with pytest.raises(InvalidInput, match="time zone is needed"):
            parse_rule("FREQ=DAILY;UNTIL=20270131T205959Z")

    def test_the_end_of_time_is_refused_and_not_overflown(self) -> None:
        with pytest.raises(InvalidInput):
            parse_rule("FREQ=DAILY;UNTIL=99991231T235959Z", zone=zone("Africa/Addis_Ababa"))
