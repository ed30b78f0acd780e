"""Content lines of RFC 5545: which characters a value may contain, and how a long line is folded.

Values are user input. Whatever they contain, none can start a line of its own.
"""

from worker.foreign_text import shown

MOST_OCTETS = 75


def text(value: str) -> str:
    """A TEXT value (RFC 5545 §3.3.11): escaped, without control and direction characters."""
    value = shown(value)
    # One by one: ten times as fast as a table.
    return value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def fold(line: str) -> bytes:
    """The line in UTF-8, in pieces of at most 75 octets (RFC 5545 §3.1), without the line end.

    Never splits a character: readers that decode piece by piece would lose it. Lone surrogates are omitted.
    """
    octets = line.encode("utf-8", "ignore")
    if len(octets) <= MOST_OCTETS:
        return octets
    pieces, start, room = [], 0, MOST_OCTETS
    while len(octets) - start > room:
        end = start + room
        while octets[end] & 0xC0 == 0x80:  # the middle of a character
            end -= 1
        pieces.append(octets[start:end])
        # The space that marks a continued line counts.
        start, room = end, MOST_OCTETS - 1
    pieces.append(octets[start:])
    return b"\r\n ".join(pieces)
