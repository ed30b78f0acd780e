"""Bytes that are repeated, missing, wrong or reordered, anywhere in a recording.

Nobody can say beforehand what is left of it. What a copy holds must be playable to its end by any decoder, and what
is missing from it must be reported.
"""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.media.corpus.conftest import Kit
from worker.recordings.ingest.draft import Draft


def doubled(whole: bytes, start: int, end: int, _chance: random.Random) -> bytes:
    return whole[:end] + whole[start:]


def removed(whole: bytes, start: int, end: int, _chance: random.Random) -> bytes:
    return whole[:start] + whole[end:]


def overwritten(whole: bytes, start: int, end: int, chance: random.Random) -> bytes:
    return whole[:start] + chance.randbytes(end - start) + whole[end:]


def swapped(whole: bytes, start: int, end: int, _chance: random.Random) -> bytes:
    behind = min(len(whole), 2 * end - start)
    return whole[:start] + whole[end:behind] + whole[start:end] + whole[behind:]


@pytest.mark.parametrize("damage", [doubled, removed, overwritten, swapped])
@pytest.mark.parametrize(
    ("name", "seed"), [("vp8", 2), ("vp9", 1), ("vp9", 2), ("av1", 1), ("fmp4", 1), ("fmp4-vp9", 1), ("fmp4-vp9", 2)]
)
def test_what_is_left_plays_to_its_end(
    name: str,
    damage: Callable[..., bytes],
    seed: int,
    kit: Kit,
    ingest: Callable[[Path, Path], Draft],
    complaints: Callable[[Path], str],
    tmp_path: Path,
) -> None:
    whole = kit.whole(name)
    chance = random.Random(f"{name} {damage.__name__} {seed}")
    start = int(len(whole) * chance.uniform(0.15, 0.85))
    end = start + int(len(whole) * chance.choice([0.002, 0.01, 0.04]))
    (tmp_path / "source").write_bytes(damage(whole, start, end, chance))
    draft = ingest(tmp_path / "source", tmp_path)
    assert complaints(draft.path) == ""
    # Wrong bytes in the middle of one picture are a picture to the decoder of VP8.
    assert draft.probed.video
    assert draft.repairs or draft.probed.video.frames == 60


@pytest.mark.parametrize(("name", "damage"), [("long-mkv", removed), ("long-fmp4", overwritten)])
def test_a_long_recording_is_decoded_where_it_is_damaged(
    name: str,
    damage: Callable[..., bytes],
    kit: Kit,
    ingest: Callable[[Path, Path], Draft],
    complaints: Callable[[Path], str],
    tmp_path: Path,
) -> None:
    whole = kit.whole(name)
    chance = random.Random(f"{name} {damage.__name__}")
    start = int(len(whole) * 0.43)
    (tmp_path / "source").write_bytes(damage(whole, start, start + 30_000, chance))
    draft = ingest(tmp_path / "source", tmp_path)
    assert complaints(draft.path) == ""
    assert draft.repairs


def test_damage_of_a_transparent_recording_is_found_by_its_reader(
    kit: Kit, ingest: Callable[[Path, Path], Draft], complaints: Callable[[Path], str], tmp_path: Path
) -> None:
    """Its transparent layer lies between the packets, so that their distance shows nothing."""
    whole = kit.whole("long-alpha")
    start = int(len(whole) * 0.43)
    (tmp_path / "source").write_bytes(removed(whole, start, start + 200, random.Random(0)))
    draft = ingest(tmp_path / "source", tmp_path)
    assert draft.probed.video
    assert draft.probed.video.alpha
    assert complaints(draft.path) == ""
    assert "damaged" in {repair.kind for repair in draft.repairs}
