"""Recognise, by their text, freehand lines as the board's page writes them."""

import re

from worker.whiteboards.stroke_values import MAX_POINTS

# Nine out of ten strokes are freehand lines as the board's page writes them. PostgreSQL prints jsonb in only one way,
# so their text is matched, in a tenth of the time of parsing it. Possessive quantifiers, since backtracking could find
# no other match.
_NUMBER = r"-?[0-9]{1,6}+(?:\.[0-9]{1,20}+)?+"
_PLAIN = re.compile(
    r'\{(?:"color": "[^"\\]{0,50}+", )?+'
    rf'(?:"width": {_NUMBER}, )?+"points": \[\[({_NUMBER}), ({_NUMBER})\](?:, \[{_NUMBER}, {_NUMBER}\])*+\]\}}'
)


def is_plain_line(text: str) -> bool:
    """Whether this is a freehand line as the board's page writes it, which needs no further check.

    A line that may lie within one pixel, and a very long one, are checked like the others.
    """
    # A point has more than one character, so a shorter text cannot have too many.
    if len(text) > MAX_POINTS:
        return False
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        return False
    last = text[text.rindex("[") + 1 : -3].split(", ")
    return any(float(number) > 1 for number in (*plain.groups(), *last))
