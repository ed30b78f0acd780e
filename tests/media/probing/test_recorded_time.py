"""When the parts of a recording were recorded, by what its recorder noted and what its file shows."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from worker.media.probing.recorded_time import FileGap, RecordedStretch, recorded_stretches

BEGUN = 1_000_000


def spans(*facts: object) -> list[tuple[int, int, int]]:
    """(milliseconds since the beginning, place in the file, length) of each stretch."""
    stretches = recorded_stretches(BEGUN, *facts)  # type: ignore[arg-type]
    return [(stretch.begun - BEGUN, stretch.at, stretch.length) for stretch in stretches]


def test_without_a_pause_it_is_one_stretch() -> None:
    assert spans(60_000) == [(0, 0, 60_000)]
    assert recorded_stretches(BEGUN, 0) == ()
    assert RecordedStretch(5, 0, 3).interval == (5, 8)


def test_a_pause_is_not_in_the_file_and_moves_what_follows() -> None:
    """As Chromium pauses: the clock of its packets stands still."""
    assert spans(60_000, [(10_000, 15_000), (40_000, 41_000)]) == [
        (0, 0, 10_000),
        (15_000, 10_000, 25_000),
        (41_000, 35_000, 25_000),
    ]


def test_a_pause_that_the_file_has_as_a_hole_is_left_out_of_it() -> None:
    assert spans(60_000, [(10_000, 15_000)], [FileGap(10_100, 4_800, 4_800)]) == [
        (0, 0, 10_100),
        (14_900, 14_900, 45_100),
    ]


def test_a_loss_is_silence_and_moves_nothing() -> None:
    assert spans(60_000, [], [FileGap(10_000, 4_000, 4_000)]) == [(0, 0, 60_000)]
    # A loss is no pause, though one follows.
    assert spans(60_000, [(30_000, 31_000)], [FileGap(10_000, 4_000, 4_000)]) == [
        (0, 0, 30_000),
        (31_000, 30_000, 30_000),
    ]


def test_a_jump_of_the_clock_is_a_pause_whether_it_was_noted_or_not() -> None:
    jump = [FileGap(20_000, 90_000, 0)]
    expected = [(0, 0, 20_000), (110_000, 20_000, 40_000)]
    assert spans(60_000, [], jump) == expected
    assert spans(60_000, [(20_300, 109_900)], jump) == expected
    # One that was noted later than a jump that was not.
    assert spans(60_000, [(130_000, 140_000)], jump) == [
        (0, 0, 20_000),
        (110_000, 20_000, 20_000),
        (140_000, 40_000, 20_000),
    ]


def test_a_recorder_that_is_stopped_in_its_pause_has_no_stretch_behind_it() -> None:
    assert spans(10_000, [(10_000, 60_000)]) == [(0, 0, 10_000)]
    assert spans(10_000, [(0, 5_000)]) == [(5_000, 0, 10_000)]
    assert spans(10_000, [(5_000, 5_000), (9_000, 8_000)]) == [(0, 0, 10_000)]


moments = st.integers(0, 100_000)
notes = st.lists(st.tuples(moments, moments), max_size=5)
gaps = st.lists(st.builds(lambda at, length, kept: FileGap(at, length, length * kept), moments, moments, st.booleans()))


@given(st.integers(0, 200_000), notes, gaps)
def test_stretches_are_in_order_and_none_is_longer_than_the_file(
    length: int, pauses: list[tuple[int, int]], gaps: list[FileGap]
) -> None:
    stretches = recorded_stretches(BEGUN, length, pauses, gaps)
    assert all(stretch.length > 0 and 0 <= stretch.at <= stretch.at + stretch.length <= length for stretch in stretches)
    for before, behind in itertools.pairwise(stretches):
        assert before.at + before.length <= behind.at
        assert before.interval[1] <= behind.begun
