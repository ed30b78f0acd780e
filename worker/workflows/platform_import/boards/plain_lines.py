"""Freehand lines as the board's page writes them, told from others by their text."""

import re

from worker.whiteboards.stroke_values import MOST_POINTS

# Nine of ten strokes are freehand lines as the board's page writes them. PostgreSQL prints jsonb in one way, so their
# text is compared: that takes a tenth of the time of parsing it. Possessive, since no other reading could fit either.
_NUMBER = r"-?[0-9]{1,6}+(?:\.[0-9]{1,20}+)?+"
_PLAIN = re.compile(
    r'\{(?:"color": "[^"\\]{0,50}+", )?+'
    rf'(?:"width": {_NUMBER}, )?+"points": \[\[({_NUMBER}), ({_NUMBER})\](?:, \[{_NUMBER}, {_NUMBER}\])*+\]\}}'
)


def is_plain_line(text: str) -> bool:
    """Whether it is a freehand line as the board's page writes it, which needs no other check.

    A line that may lie within one pixel, and a very long one, are checked with the others.
    """
    # A point has more than one character, so these are not too many.
    if len(text) > MOST_POINTS:
        return False
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        return False
    last = text[text.rindex("[") + 1 : -3].split(", ")
    return any(float(number) > 1 for number in (*plain.groups(), *last))
