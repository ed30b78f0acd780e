"""How many examples a property test tries."""

from hypothesis import settings

_USUAL = 100


def examples(most: int) -> int:
    """Returns `most`, and a fifth of it in `make quick`, whose profile lowers the usual number as much."""
    return most * settings().max_examples // _USUAL
