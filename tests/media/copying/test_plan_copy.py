from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.media.conftest import RECORDINGS
from worker.media.copying.plan_copy import plan_copy, plan_promised_copy
from worker.media.errors import MediaRejected
from worker.media.probing.header import read_header
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries

Make = Callable[[str], Path]
Probed = Callable[[Path], Probe]
Concatenate = Callable[..., Path]


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_header_promises_the_copy_that_the_packets_ask_for(
    name: str, make: Make, binaries: Binaries, probed: Probed
) -> None:
    assert plan_promised_copy(read_header(make(name), binaries)) == plan_copy(probed(make(name)))


def test_what_must_be_encoded_is_left_to_the_packets(make: Make, binaries: Binaries) -> None:
    """H.264 with Vorbis: the sound is encoded, unless one of the two turns out to be empty."""
    assert plan_promised_copy(read_header(make("h264-vorbis.mkv"), binaries)) is None


def test_several_recordings_are_left_to_the_packets(concatenate: Concatenate, binaries: Binaries) -> None:
    assert plan_promised_copy(read_header(concatenate("vp8.webm", "vp8.webm"), binaries)) is None


def test_parts_in_different_codecs_that_are_too_long_are_refused(concatenate: Concatenate, probed: Probed) -> None:
    media = probed(concatenate("vp8.webm", "chrome-vp9.webm"))
    with pytest.raises(MediaRejected) as caught:
        plan_copy(replace(media, duration_ms=6 * 3600 * 1000, size_bytes=1))
    assert caught.value.reason == "mixed-codecs"
    assert "vp8, vp9" in caught.value.detail
