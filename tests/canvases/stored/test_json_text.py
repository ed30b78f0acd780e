"""The JSON of boards is parsed exactly as Python's own parser does."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from worker.canvases.stored.json_text import parse_json

_VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=20,
)


@given(_VALUES, some.booleans())
def test_it_reads_what_was_written(value: object, ascii_only: bool) -> None:
    written = json.dumps(value, ensure_ascii=ascii_only)
    assert repr(parse_json(written)) == repr(json.loads(written))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (b'["\\ud83d"]', ["\ud83d"]),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"[1e999]", [math.inf]),
        (b"\xef\xbb\xbf[]", []),
        (b"[123456789012345678901234567890]", [123456789012345678901234567890]),
        (b"[" * 300 + b"]" * 300, json.loads("[" * 300 + "]" * 300)),
    ],
)
def test_what_a_faster_parser_gives_up_on_is_read_too(written: bytes, value: object) -> None:
    assert parse_json(written) == value


@pytest.mark.parametrize("written", [b"", b"{", b"[1.]", b"\xff", b"9" * 5000, "[" + "9" * 5000 + "]"])
def test_what_is_no_json_is_a_value_error(written: bytes | str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(written)


def test_what_is_nested_without_end_is_a_recursion_error() -> None:
    with pytest.raises(RecursionError):
        parse_json(b"[" * 200_000)
