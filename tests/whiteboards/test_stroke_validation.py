"""What a stroke may hold, and who may draw it: tables and properties."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.states import STROKE_TYPES
from worker.access.session_role import SessionRole
from worker.errors import Forbidden, InvalidInput
from worker.whiteboards.stroke_permissions import PERMISSIONS, check_may_draw, permission_for
from worker.whiteboards.stroke_validation import NewStroke, accepted_stroke
from worker.whiteboards.stroke_values import MAX_POINTS

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
PEN = {"points": [[12.5, 30.25], [18, 34.25]], "color": "#1d4ed8", "width": 4}
FREEHAND = ("pen", "eraser", "line", "rectangle", "circle", "triangle", "arrow")


def _nested(depth: int) -> Any:
    return [_nested(depth - 1)] if depth else 1


@pytest.mark.parametrize("stroke_type", FREEHAND)
def test_every_tool_may_be_freehand(stroke_type: str) -> None:
    accepted_stroke(NewStroke("a", stroke_type, PEN))


@pytest.mark.parametrize(
    ("stroke_type", "data"),
    [
        ("line", {"startX": 10, "startY": 20, "endX": 110, "endY": 25, "color": "#334155", "width": 3}),
        ("rectangle", {"x": 50, "y": 60, "width": 140, "height": 70}),
        ("circle", {"x": 220, "y": 140, "radius": 45}),
        ("text", {"text": "ምሳሌ አንድ", "x": 30, "y": 84, "fontSize": 18, "fontFamily": "Arial", "color": "#000000"}),
        ("text", {"text": "a² + b²", "x": 1.5, "y": 2, "formatting": {"bold": True, "italic": False}}),
        ("pen", {"points": [[-0.9, 1149]]}),
        ("pen", PEN | {"width": None}),
    ],
)
def test_shapes_that_are_drawn(stroke_type: str, data: dict[str, Any]) -> None:
    accepted_stroke(NewStroke("a", stroke_type, data))


@pytest.mark.parametrize(
    ("stroke_type", "data"),
    [
        ("pen", {}),
        ("pen", {"points": []}),
        ("pen", {"points": "many"}),
        ("pen", {"points": [[1]]}),
        ("pen", {"points": [[1, 2, 3, 4, 5, 6]]}),
        ("pen", {"points": [["one", 2]]}),
        ("pen", {"points": [[True, 2]]}),
        ("pen", {"points": [[float("nan"), 2]]}),
        ("pen", {"points": [[1, float("-inf")]]}),
        ("pen", {"points": [[1, 2], [3, float("nan")], [4, 5]]}),
        ("pen", {"points": [[1, 2], 3]}),
        ("pen", {"points": [[1, 2], [3, 4, 5], [6]]}),
        ("pen", {"points": [[1, 2], [[3], 4]]}),
        ("pen", {"points": [[10**400, 2]]}),
        ("pen", {"points": [[1, 2]] * (MAX_POINTS + 1)}),
        ("pen", {"startX": 1, "startY": 1, "endX": 2, "endY": 2}),
        ("triangle", {"x": 1, "y": 1}),
        ("line", {"startX": 1, "startY": 1, "endX": 2}),
        ("circle", {"x": 1, "y": 1, "radius": "45em"}),
        ("text", {"x": 1, "y": 1}),
        ("text", {"text": "", "x": 1, "y": 1}),
        ("text", {"text": 5, "x": 1, "y": 1}),
        ("text", {"text": "a", "x": 1}),
        ("text", {"text": "a" * 10_001, "x": 1, "y": 1}),
        ("text", {"text": "a\x00", "x": 1, "y": 1}),
        ("text", {"text": "\ud83d", "x": 1, "y": 1}),
        ("text", {"text": "a", "x": 1, "y": 1, "points": "not looked at"}),
        ("pen", PEN | {"color": "#" * 500}),
        ("pen", PEN | {"color": "\x00"}),
        ("pen", PEN | {"k\x00": 1}),
        ("pen", PEN | {"text": ["x" * 500]}),
        ("pen", PEN | {"width": "wide"}),
        ("pen", PEN | {"more": float("inf")}),
        ("pen", PEN | {"more": 10**400}),
        ("pen", PEN | {"more": _nested(7)}),
        ("pen", PEN | {f"key{number}": 1 for number in range(40)}),
    ],
)
def test_shapes_that_are_not(stroke_type: str, data: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="Stroke the-one"):
        accepted_stroke(NewStroke("the-one", stroke_type, data))


def test_a_stroke_does_not_end_before_it_starts() -> None:
    accepted_stroke(NewStroke("a", "pen", PEN, NOON, NOON))
    with pytest.raises(InvalidInput):
        accepted_stroke(NewStroke("a", "pen", PEN, NOON, NOON - timedelta(milliseconds=1)))


words = st.text(max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(words, inner, max_size=5),
    max_leaves=10,
)


# The machine may be busy with other tests: only what is found counts, not how fast.
@settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(STROKE_TYPES), st.dictionaries(st.sampled_from(["points", "text", "x", "y", "more"]), json_values)
)
def test_whatever_is_sent_is_taken_or_refused_never_a_crash(stroke_type: str, data: dict[str, Any]) -> None:
    try:
        accepted_stroke(NewStroke("a", stroke_type, data))
    except InvalidInput:
        return
    assert data


def test_the_host_draws_everything_without_asking() -> None:
    check_may_draw(SessionRole(11, "tutor", full=True), {}, STROKE_TYPES)


@pytest.mark.parametrize("stroke_type", STROKE_TYPES)
def test_a_student_needs_exactly_the_permission_of_the_tool(stroke_type: str) -> None:
    student = SessionRole(22, "student", full=False)
    needed = {"text": "can_write", "eraser": "can_erase"}.get(stroke_type, "can_draw")
    assert permission_for(stroke_type) == needed
    check_may_draw(student, {needed: True}, [stroke_type])
    others = {name: True for name in PERMISSIONS if name != needed}
    for permissions in ({}, others, {needed: False}, {needed: "yes"}, {needed: 1}):
        with pytest.raises(Forbidden, match=needed):
            check_may_draw(student, permissions, [stroke_type])
