from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from worker.media.copying.fast_copy import Copy
from worker.media.probing.playable import PlayableForm
from worker.media.probing.stated_duration import shorten_stated_duration

Make = Callable[[str], Path]
Play = Callable[[Path, Path], Copy]
Look = Callable[[Path], dict[str, Any]]
WEBM = PlayableForm("webm", None, None)


def seconds(look: Look, path: Path) -> float:
    return float(look(path)["format"]["duration"])


def test_a_longer_duration_is_shortened(make: Make, play: Play, look: Look, tmp_path: Path) -> None:
    play(make("vp8.webm"), tmp_path / "copy")
    size = (tmp_path / "copy").stat().st_size
    shorten_stated_duration(tmp_path / "copy", WEBM, 1500)
    assert seconds(look, tmp_path / "copy") == pytest.approx(1.5)
    assert (tmp_path / "copy").stat().st_size == size


def test_the_scale_of_times_is_heeded(make: Make, play: Play, look: Look, tmp_path: Path) -> None:
    play(make("vp8.webm"), tmp_path / "copy")
    scale = b"\x2a\xd7\xb1\x83"
    whole = (tmp_path / "copy").read_bytes()
    at = whole.index(scale) + len(scale)
    (tmp_path / "copy").write_bytes(whole[:at] + (2_000_000).to_bytes(3, "big") + whole[at + 3 :])
    shorten_stated_duration(tmp_path / "copy", WEBM, 1500)
    assert seconds(look, tmp_path / "copy") == pytest.approx(1.5)


@pytest.mark.parametrize("form", [WEBM, PlayableForm("webm", None, "opus"), PlayableForm("mp4", None, None)])
def test_what_is_left_as_it_is(form: PlayableForm, make: Make, play: Play, tmp_path: Path) -> None:
    """A shorter duration, sound that was encoded, an MP4."""
    copy = play(make("vp8.webm"), tmp_path / "copy")
    before = (tmp_path / "copy").read_bytes()
    longer = copy.duration_ms + 1000 if form is WEBM else 1
    shorten_stated_duration(tmp_path / "copy", form, longer)
    assert (tmp_path / "copy").read_bytes() == before


def test_a_file_that_states_none(make: Make, tmp_path: Path) -> None:
    (tmp_path / "live").write_bytes(make("vp8.webm").read_bytes())
    shorten_stated_duration(tmp_path / "live", WEBM, 1)
    assert (tmp_path / "live").read_bytes() == make("vp8.webm").read_bytes()
