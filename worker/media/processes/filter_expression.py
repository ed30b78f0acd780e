"""Expressions of ffmpeg's filters."""

from collections.abc import Sequence


def summed(terms: Sequence[str]) -> str:
    """The sum of these terms, at least one.

    In halves: ffmpeg nests every sum in the one before it, and rejects what is nested a hundred times.
    """
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return f"({summed(terms[:middle])}+{summed(terms[middle:])})"
