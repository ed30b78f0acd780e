from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.media.containers import ebml
from worker.media.containers.container import Part
from worker.media.containers.parts import find_parts
from worker.media.errors import MediaRejected, Stopped

Make = Callable[[str], Path]
# A whole EBML header of WebM and the beginning of a Segment, as Chrome writes them.
HEADER = bytes.fromhex(
    "1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104428581021853806701ffffffffffffff"
)


def block(payload: bytes) -> bytes:
    """A SimpleBlock of track 1."""
    body = b"\x81\x00\x10\x80" + payload
    return b"\xa3" + (len(body) | 1 << 28).to_bytes(4, "big") + body


def written(path: Path, *pieces: bytes) -> Path:
    path.write_bytes(b"".join(pieces))
    return path


@pytest.mark.parametrize("name", ["chrome-vp9.webm", "chrome-h264.webm", "chrome-pause.webm", "chrome-audio.webm"])
def test_a_recording_is_one_part(make: Make, name: str) -> None:
    path = make(name)
    assert find_parts(path) == [Part(0, path.stat().st_size, "matroska")]


def test_each_reload_begins_a_part(concatenate: Callable[..., Path], make: Make) -> None:
    names = ["chrome-vp9.webm", "chrome-audio.webm", "vp8.webm"]
    first, second, third = (make(name).stat().st_size for name in names)
    assert [(part.offset, part.length) for part in find_parts(concatenate(*names))] == [
        (0, first),
        (first, second),
        (first + second, third),
    ]


def test_parts_are_found_behind_a_segment_of_known_size(make: Make, tmp_path: Path) -> None:
    """Files that ffmpeg finished state the sizes of Segment and Clusters."""
    finished = make("many-tracks.mkv").read_bytes()
    path = written(tmp_path / "two", finished, finished)
    assert [part.offset for part in find_parts(path)] == [0, len(finished)]


def test_four_bytes_in_a_frame_are_no_header(make: Make, tmp_path: Path) -> None:
    path = written(tmp_path / "f", make("chrome-vp9.webm").read_bytes(), block(b"x" * 99 + HEADER[:4] + b"y" * 99))
    assert len(find_parts(path)) == 1


@pytest.mark.parametrize("tail", [b"", block(b"next frame")])
def test_a_whole_header_in_a_frame_is_no_header(make: Make, tmp_path: Path, tail: bytes) -> None:
    sly = block(b"x" * 99 + HEADER + b"y" * 99)
    path = written(tmp_path / "f", make("chrome-vp9.webm").read_bytes(), sly, tail)
    assert len(find_parts(path)) == 1


def test_a_frame_with_a_header_does_not_hide_the_next_recording(make: Make, tmp_path: Path) -> None:
    recording = make("chrome-vp9.webm").read_bytes()
    sly = block(HEADER)
    path = written(tmp_path / "f", recording, sly, recording)
    assert [part.offset for part in find_parts(path)] == [0, len(recording) + len(sly)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.001, 0.999))
def test_a_recording_cut_anywhere_and_begun_again_has_two_parts(make: Make, tmp_path: Path, share: float) -> None:
    recording = make("vp8.webm").read_bytes()
    cut = recording[: max(60, int(len(recording) * share))]
    path = written(tmp_path / "f", cut, recording)
    assert [part.offset for part in find_parts(path)] == [0, len(cut)]


def test_a_header_across_two_chunks_of_the_scan_is_found(make: Make, tmp_path: Path) -> None:
    """The scan begins behind the first four bytes and reads 8 MB at a time."""
    recording = make("vp8.webm").read_bytes()
    for before in (1, 2, 3):
        at = 4 + 8 * 1024 * 1024 - before
        path = written(tmp_path / "f", recording, block(b"\0" * (at - len(recording) - 9)), recording)
        assert [part.offset for part in find_parts(path)] == [0, at]


def test_a_cut_inside_a_frame_is_seen(make: Make, tmp_path: Path) -> None:
    recording = make("chrome-vp9.webm").read_bytes()
    for length in (300_000, 100_000, len(recording) - 1):
        path = written(tmp_path / "f", recording[:length])
        assert find_parts(path) == [Part(0, length, "matroska", cut_off=True)]


def test_a_file_of_nothing_but_headers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaRejected) as caught:
        find_parts(written(tmp_path / "f", HEADER * 20_000))
    assert caught.value.reason == "too-complex"


def test_filling_without_end_is_refused_soon(make: Make, tmp_path: Path) -> None:
    path = written(tmp_path / "f", make("chrome-audio.webm").read_bytes(), b"\xec\x80" * 1_000_000)
    with pytest.raises(MediaRejected) as caught:
        find_parts(path)
    assert caught.value.reason == "too-complex"


def test_ids_of_clusters_without_clusters_are_refused(make: Make, tmp_path: Path) -> None:
    path = written(tmp_path / "f", make("chrome-audio.webm").read_bytes(), b"\x1f\x43\xb6\x75" * 1_000_000)
    with pytest.raises(MediaRejected) as caught:
        find_parts(path)
    assert caught.value.reason == "too-complex"


def test_an_element_of_unknown_kind_is_no_cut(make: Make, tmp_path: Path) -> None:
    whole = make("chrome-audio.webm").read_bytes()
    (part,) = find_parts(written(tmp_path / "f", whole, b"\x5f\xff\x84new!"))
    assert not part.cut_off


@pytest.mark.parametrize("count", [200, 201])
def test_the_most_parts_are_as_many_as_promised(count: int, make: Make, tmp_path: Path) -> None:
    path = written(tmp_path / "f", make("one-frame.webm").read_bytes() * count)
    if count == 200:
        assert len(find_parts(path)) == 200
        return
    with pytest.raises(MediaRejected) as caught:
        find_parts(path)
    assert caught.value.reason == "damaged"


def test_a_stop_is_noticed_while_the_file_is_read(make: Make, tmp_path: Path) -> None:
    path = written(tmp_path / "f", make("chrome-audio.webm").read_bytes())
    with pytest.raises(Stopped):
        find_parts(path, should_stop=lambda: True)


def test_the_doctype_is_read(make: Make) -> None:
    assert ebml.doctype(make("chrome-vp9.webm")) == "webm"
    assert ebml.doctype(make("chrome-h264.webm")) == "matroska"
    assert ebml.doctype(make("plain.mp4")) == ""


@given(data=st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_bytes_break_the_reader(tmp_path: Path, data: bytes) -> None:
    path = written(tmp_path / "f", HEADER, data, HEADER, data)
    parts = find_parts(path)
    assert sum(part.length for part in parts) == path.stat().st_size
    ebml.cues_are_in_front(path)
