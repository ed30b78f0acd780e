"""Whether the values of a stroke can be stored: JSON that is neither too deep, too long nor inexact."""

from worker.errors import InvalidInput

MAX_POINTS = 20_000
DEEPEST = 6
# Beyond it a JavaScript number is no longer exact.
_LARGEST_EXACT = 2**53
_MAX_KEYS = 32
_LONGEST_WORD = 200


def check_json(value: object, depth: int) -> None:
    """Raise InvalidInput unless a value of a stroke, at this depth, can be stored."""
    if depth > DEEPEST:
        raise InvalidInput(f"stroke_data is nested deeper than {DEEPEST}")
    match value:
        case dict():
            if len(value) > _MAX_KEYS:
                raise InvalidInput(f"an object of stroke_data has more than {_MAX_KEYS} keys")
            for key, inner in value.items():
                _check_word(key)
                check_json(inner, depth + 1)
        case list():
            if len(value) > MAX_POINTS:
                raise InvalidInput(f"a list of stroke_data has more than {MAX_POINTS} values")
            for inner in value:
                check_json(inner, depth + 1)
        case str():
            _check_word(value)
        case int() | float():
            _check_number(value)


def _check_word(word: str) -> None:
    if len(word) > _LONGEST_WORD:
        raise InvalidInput(f"stroke_data has a word longer than {_LONGEST_WORD} characters")
    check_storable(word)


def check_storable(written: str) -> None:
    """Raise InvalidInput for text that PostgreSQL cannot store."""
    # PostgreSQL's jsonb accepts neither.
    if "\x00" in written or not (written.isascii() or all(not "\ud800" <= letter <= "\udfff" for letter in written)):
        raise InvalidInput("stroke_data has text that cannot be stored (NUL or half a character)")


def _check_number(number: float) -> None:
    # Python's JSON reads NaN, Infinity and integers of thousands of digits. Written so that NaN fails too.
    if not abs(number) <= _LARGEST_EXACT:
        raise InvalidInput("stroke_data has a number that is not finite, or too large to be exact")
