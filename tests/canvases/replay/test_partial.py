"""Shapes that are not finished yet."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.canvases.replay.dirty_rects import box_between, box_of
from worker.canvases.replay.partial import part_of
from worker.canvases.replay.pen_speed import length_of, natural_ms
from worker.canvases.shapes import BLACK, Circle, Lines, Text

PEN = Lines((np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 40.0]]),), 3, BLACK)
BOX = Lines((np.array([[0.0, 0.0], [30.0, 0.0], [30.0, 10.0], [0.0, 10.0]]),), 3, BLACK, closed=True)
ARROW = Lines((np.array([[0.0, 0.0], [100.0, 0.0]]), np.array([[90.0, 5.0], [100.0, 0.0], [90.0, -5.0]])), 3, BLACK)
RING = Circle(50, 50, 20, 3, BLACK)
WORDS = Text(("ab", "cde"), 0, 0, 20, BLACK, underline=True)
SHAPES = (PEN, BOX, ARROW, RING, WORDS)


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_at_first_and_all_in_the_end(shape: Lines | Circle | Text) -> None:
    assert part_of(shape, 0.0) is None
    assert part_of(shape, 1.0) is shape


def test_a_pen_comes_point_by_point() -> None:
    part = part_of(PEN, 0.75)
    assert isinstance(part, Lines)
    assert part.contours[0].tolist() == [[0, 0], [10, 0], [10, 20]]


def test_an_outline_grows_evenly() -> None:
    part = part_of(BOX, 0.5)
    assert isinstance(part, Lines)
    assert (part.closed, part.contours[0].tolist()) == (False, [[0, 0], [30, 0], [30, 10]])


def test_an_arrow_gets_its_head_last() -> None:
    early, late = part_of(ARROW, 0.5), part_of(ARROW, 0.99)
    assert isinstance(early, Lines)
    assert isinstance(late, Lines)
    assert [len(early.contours), len(late.contours)] == [1, 2]


def test_a_circle_begins_at_the_right_and_goes_down() -> None:
    part = part_of(RING, 0.25)
    assert isinstance(part, Lines)
    assert part.contours[0][0] == pytest.approx([70, 50])
    assert part.contours[0][-1] == pytest.approx([50, 70])


def test_text_comes_letter_by_letter_with_its_accents() -> None:
    part = part_of(WORDS, 0.61)
    assert isinstance(part, Text)
    assert (part.lines, part.underline) == (("ab", "c"), True)
    accented = part_of(Text(("e\u0301x",), 0, 0, 20, BLACK), 0.4)
    assert isinstance(accented, Text)
    assert accented.lines == ("e\u0301",)


points = st.lists(st.tuples(st.floats(-500, 500), st.floats(-500, 500)), min_size=2, max_size=30).map(np.array)
lines = st.builds(
    lambda contours, closed: Lines(tuple(contours), 3.0, BLACK, closed),
    st.lists(points, min_size=1, max_size=2),
    st.booleans(),
)


@given(lines, st.floats(0, 1), st.floats(0, 1))
def test_what_is_drawn_only_grows(shape: Lines, fraction: float, other: float) -> None:
    before, after = sorted((fraction, other))
    shorter, longer = part_of(shape, before), part_of(shape, after)

    def drawn(part: object) -> float:
        return sum(map(length_of, part.contours)) if isinstance(part, Lines) else 0.0

    assert drawn(shorter) <= drawn(longer) + 1e-6 or after == 1


@given(lines, st.floats(0, 1), st.floats(0, 1))
def test_the_boxes_hold_what_changes(shape: Lines, fraction: float, other: float) -> None:
    before, after = sorted((fraction, other))
    part = part_of(shape, after)
    if not isinstance(part, Lines) or before == after:
        return
    whole, changed = box_of(shape), box_between(shape, before, after)
    for box in (whole, changed):
        x, y = part.contours[-1][-1]
        assert box.left <= x + 1e-6
        assert box.right >= x - 1e-6
        assert box.top <= y + 1e-6
        assert box.bottom >= y - 1e-6
    assert whole.left <= changed.left
    assert whole.bottom >= changed.bottom


@pytest.mark.parametrize("shape", [*SHAPES, Lines((np.zeros((2, 2)),), 3, None), Text(("a" * 10_000,), 0, 0, 9, BLACK)])
def test_no_shape_takes_no_time_or_for_ever(shape: Lines | Circle | Text) -> None:
    assert 150 <= natural_ms(shape) <= 6000
