"""Large bodies parsed in pieces: equal to Python's own parser, and refused beyond the limits."""

import inspect
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.api.http.json_pieces import LONGEST_ITEM, read_json
from worker.api.whiteboards.whiteboard_pages import post_strokes
from worker.errors import InvalidInput

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=30,
)


@given(_VALUES, st.sampled_from([None, 1]), st.booleans())
def test_what_is_json_is_read_as_python_reads_it(value: Any, indent: int | None, ascii_only: bool) -> None:
    written = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        written.decode()
    except UnicodeDecodeError:
        with pytest.raises(InvalidInput):
            read_json(written, most_items=1000)
    else:
        assert read_json(written, most_items=1000) == value


@given(st.text(alphabet='{}[]",:0a \\tn', max_size=30))
def test_what_python_refuses_is_refused(text: str) -> None:
    try:
        value = json.loads(text)
    except ValueError:
        with pytest.raises(InvalidInput):
            read_json(text.encode(), most_items=1000)
    else:
        assert read_json(text.encode(), most_items=1000) == value


@pytest.mark.parametrize(
    "hostile",
    [
        b'{"strokes": [' + b"[" * 1_900_000,
        b'{"strokes": [' + b"[]," * 600_000 + b"[]]}",
        b'{"strokes": [{"points": [' + b"[]," * 600_000 + b"[]]}]}",
        b'{"strokes": [' + b"1" * 1_900_000 + b"]}",
        b'{"strokes": ["' + b"a" * LONGEST_ITEM + b'"]}',
        b'{"' + b"a" * LONGEST_ITEM + b'": 1}',
        b"{" + b",".join(b'"%d": 0' % n for n in range(150_000)) + b"}",
        b"[" * 1_900_000,
        b"",
        b"{",
        b'{"a" 1}',
        b'{"a": 1,}',
        b'{"a": [1,]}',
        b'{"a": 1} 1',
        b"\xff",
    ],
)
def test_what_would_take_long_is_refused(hostile: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_json(hostile, most_items=500)


def test_large_batches_are_read_off_the_event_loop() -> None:
    """A route that is no coroutine runs in a thread, where the pieces let others run in between."""
    assert not inspect.iscoroutinefunction(post_strokes)
    stroke = {"client_id": "a", "stroke_data": {"points": [[1.5, 2.5]] * 10_000}}
    body = json.dumps({"strokes": [stroke] * 15}).encode()
    assert len(body) > 1_500_000
    assert read_json(body, most_items=500) == {"strokes": [stroke] * 15}
