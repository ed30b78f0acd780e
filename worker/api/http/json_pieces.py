"""Parse a large JSON body in pieces: parsing two megabytes at once blocks every other request for 0.2 s.

Python's parser does not release the interpreter's lock, whichever thread it runs in. Here Python code walks the
outermost object and the lists in it, so that other threads run in between, and only single items are parsed at once.
"""

import json
import re
from typing import Any

from worker.errors import InvalidInput

# Parsing this many characters takes a few milliseconds. A stroke of 20 000 points fits if they are written compactly.
LONGEST_ITEM = 262_144
_MAX_MEMBERS = 40

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def read_json(body: bytes, *, most_items: int) -> Any:
    """The JSON value in `body`. Raises InvalidInput if it is not JSON, or a list or one of its items is too long.

    `most_items` limits the lists directly below the outermost object.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput("The body is not UTF-8.") from error
    reader = _Reader(text, most_items)
    value = reader.value()
    if reader.peek():
        raise reader.refusal()
    return value


class _Reader:
    """A text and a position in it, up to which everything has been parsed."""

    def __init__(self, text: str, most_items: int) -> None:
        self._text = text
        self._most_items = most_items
        self._at = 0

    def peek(self) -> str:
        """The next character that is not whitespace; empty at the end."""
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def value(self) -> Any:
        """The outermost value."""
        if self.peek() != "{":
            return self._whole()
        members: dict[str, Any] = {}
        while self._another("}", begun=bool(members)):
            if len(members) >= _MAX_MEMBERS:
                raise InvalidInput(f"The body has more than {_MAX_MEMBERS} fields.")
            if self.peek() != '"':
                raise self.refusal()
            name = self._whole()
            if self.peek() != ":":
                raise self.refusal()
            self._at += 1
            members[name] = self._items() if self.peek() == "[" else self._whole()
        return members

    def refusal(self) -> InvalidInput:
        """The error for the current position."""
        return InvalidInput(
            f"The body is not JSON from character {self._at} on, or what begins there is longer than "
            f"{LONGEST_ITEM} characters."
        )

    def _items(self) -> list[Any]:
        items: list[Any] = []
        while self._another("]", begun=bool(items)):
            if len(items) >= self._most_items:
                raise InvalidInput(f"A list of the body has more than {self._most_items} items.")
            items.append(self._whole())
        return items

    def _another(self, end: str, *, begun: bool) -> bool:
        """Skip the opening character or the comma and return True; at the end, skip it and return False."""
        if not begun:
            self._at += 1
            if self.peek() != end:
                return True
        elif self.peek() == ",":
            self._at += 1
            return True
        if self.peek() != end:
            raise self.refusal()
        self._at += 1
        return False

    def _whole(self) -> Any:
        self.peek()
        piece = self._text[self._at : self._at + LONGEST_ITEM]
        try:
            value, length = _DECODER.raw_decode(piece)
        except (ValueError, RecursionError) as error:
            raise self.refusal() from error
        self._at += length
        return value
