from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.media import boxes
from worker.media.container import Part
from worker.media.errors import MediaRejected

Make = Callable[[str], Path]


def test_the_index_in_front_is_told_from_the_index_behind(make: Make) -> None:
    assert boxes.moov_is_in_front(make("faststart.mp4"))
    assert not boxes.moov_is_in_front(make("plain.mp4"))


def test_each_recording_is_a_part(make: Make, glue: Callable[..., Path]) -> None:
    first, second = (make(name).stat().st_size for name in ("fragmented.mp4", "plain.mp4"))
    parts = boxes.recording_parts(glue("fragmented.mp4", "plain.mp4"))
    assert parts == [Part(0, first), Part(first, second)]


def test_an_unfinished_recording_behind_a_good_one_is_left_out(make: Make, tmp_path: Path) -> None:
    good, unfinished = make("fragmented.mp4").read_bytes(), make("plain.mp4").read_bytes()[:20_000]
    (tmp_path / "f").write_bytes(good + unfinished)
    assert boxes.recording_parts(tmp_path / "f") == [Part(0, len(good))]


def test_an_unfinished_recording_alone_is_refused(make: Make, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(make("plain.mp4").read_bytes()[:20_000])
    with pytest.raises(MediaRejected) as caught:
        boxes.recording_parts(tmp_path / "f")
    assert caught.value.reason == "missing-init"


def test_a_cut_is_seen(make: Make, tmp_path: Path) -> None:
    whole = make("fragmented.mp4").read_bytes()
    (tmp_path / "f").write_bytes(whole[:-100])
    assert boxes.is_cut_off(tmp_path / "f", Part(0, len(whole) - 100))
    assert not boxes.is_cut_off(make("fragmented.mp4"), Part(0, len(whole)))


@given(data=st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_bytes_break_the_reader(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0" + data + b"\0\0\0\x08moov")
    try:
        parts = boxes.recording_parts(path)
    except MediaRejected:
        return
    assert all(part.offset >= 0 and part.offset + part.length <= path.stat().st_size for part in parts)
