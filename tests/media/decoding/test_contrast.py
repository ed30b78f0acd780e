from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from worker.media.copying.fast_copy import Copy
from worker.media.decoding.contrast import BLANK
from worker.media.decoding.decoding import DecodeResult, decode_copy
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries

Make = Callable[[str], Path]
Play = Callable[[Path, Path], Copy]
Probed = Callable[[Path], Probe]


@pytest.fixture
def sampled(
    make: Make, play: Play, probed: Probed, binaries: Binaries, tmp_path: Path
) -> Callable[[str], DecodeResult]:
    """The sample that is decoded of the copy of a recording, as if it were long."""

    def decode(name: str) -> DecodeResult:
        play(make(name), tmp_path / "copy")
        probe = probed(make(name))
        assert probe.video is not None
        return decode_copy(tmp_path / "copy", replace(probe.video, frames=10**9), None, binaries)

    return decode


def test_a_sample_has_the_contrast_of_every_key_frame(sampled: Callable[[str], DecodeResult]) -> None:
    decoded = sampled("vp8.webm")
    assert [contrast.at for contrast in decoded.contrasts] == [pytest.approx(0.0), pytest.approx(1.0)]
    assert min(contrast.variance for contrast in decoded.contrasts) > 100


def test_a_plain_picture_is_blank(sampled: Callable[[str], DecodeResult]) -> None:
    assert max(contrast.variance for contrast in sampled("black.webm").contrasts) < BLANK


def test_a_transparent_board_is_measured_on_paper(sampled: Callable[[str], DecodeResult]) -> None:
    """Black ink on nothing: without paper all of it is black."""
    assert min(contrast.variance for contrast in sampled("alpha.webm").contrasts) > 100
