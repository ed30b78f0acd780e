"""The bytes of an upload: a recording that can be played, and none that another upload has."""

import random
from pathlib import Path

from tests.chaos.harness.environment import CLIPS

_CLIP = "audio.webm"
# RFC 9559 §5, Void: an element that players skip. Its size has eight bytes.
_VOID, _SIZE = b"\xec\x01", 7
_FILLER = (20_000, 400_000)


def clip_bytes() -> int:
    """So many first bytes of each content are a recording that can be played."""
    return Path(CLIPS / _CLIP).stat().st_size


def make_content(dice: random.Random) -> bytes:
    """A recording, and random bytes that no other one has."""
    filler = dice.randbytes(dice.randint(*_FILLER))
    return (CLIPS / _CLIP).read_bytes() + _VOID + len(filler).to_bytes(_SIZE, "big") + filler
