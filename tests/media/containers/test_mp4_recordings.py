import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from worker.media.containers.container import Part
from worker.media.containers.parts import find_parts
from worker.media.errors import MediaRejected
from worker.media.limits import Demuxer

Make = Callable[[str], Path]


def written(path: Path, *pieces: bytes) -> Path:
    path.write_bytes(b"".join(pieces))
    return path


def box(kind: bytes, payload: bytes = b"") -> bytes:
    return (8 + len(payload)).to_bytes(4, "big") + kind + payload


def fragments(recording: bytes) -> list[int]:
    """Where the fragments of a recording begin, and where the last one ends (the index of fragments, or the end)."""
    at, starts = 0, []
    while at < len(recording):
        if recording[at + 4 : at + 8] in (b"moof", b"mfra"):
            starts.append(at)
        at += int.from_bytes(recording[at : at + 4], "big")
    return starts


def test_each_recording_is_a_part(make: Make, concatenate: Callable[..., Path]) -> None:
    first, second = (make(name).stat().st_size for name in ("fragmented.mp4", "plain.mp4"))
    parts = find_parts(concatenate("fragmented.mp4", "plain.mp4"))
    assert parts == [Part(0, first, "mov"), Part(first, second, "mov")]


def test_an_unfinished_recording_behind_a_good_one_is_left_out(make: Make, tmp_path: Path) -> None:
    good, unfinished = make("fragmented.mp4").read_bytes(), make("plain.mp4").read_bytes()[:20_000]
    path = written(tmp_path / "f", good, unfinished)
    first, second = find_parts(path)
    assert first == Part(0, len(good), "mov")
    assert (second.offset, second.lost) == (len(good), True)


def test_an_unfinished_recording_alone_is_refused(make: Make, tmp_path: Path) -> None:
    with pytest.raises(MediaRejected) as caught:
        find_parts(written(tmp_path / "f", make("plain.mp4").read_bytes()[:20_000]))
    assert caught.value.reason == "missing-init"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_recording_cut_anywhere_ends_at_its_last_whole_box_or_within_its_data(
    make: Make, tmp_path: Path, data: st.DataObject
) -> None:
    whole = make("fragmented.mp4").read_bytes()
    starts = fragments(whole)
    length = data.draw(st.integers(starts[0], len(whole) - 1))
    parts = find_parts(written(tmp_path / "f", whole[:length]))
    last = max(start for start in starts if start <= length)
    index_end = last + int.from_bytes(whole[last : last + 4], "big")
    # Half of its index is worth nothing; behind it, every byte of the data counts, and a box begins with eight bytes.
    end = length if length >= index_end + 8 else index_end if length >= index_end else last
    assert parts == [Part(0, end, "mov", cut_off=length - last >= 8 and not index_end <= length < index_end + 8)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_recording_cut_anywhere_and_begun_again_has_two_parts(
    make: Make, tmp_path: Path, data: st.DataObject
) -> None:
    """The size of the cut box reaches into the second recording, or beyond it."""
    whole = make("fragmented.mp4").read_bytes()
    length = data.draw(st.integers(fragments(whole)[0], len(whole)))
    parts = find_parts(written(tmp_path / "f", whole[:length], whole))
    assert [part.offset for part in parts] == [0, length]
    assert parts[0].end <= length
    assert parts[1] == Part(length, len(whole), "mov")


def read_without(path: Path, whole: bytes, begin: int, end: int) -> None:
    """Read a recording whose bytes from `begin` to `end` are lost: every fragment that is whole is read, and no other.

    One whose end is in doubt goes, too.
    """
    starts = fragments(whole)
    path.write_bytes(whole[:begin] + whole[end:])
    touched = [(start, stop) for start, stop in itertools.pairwise(starts) if start < end and stop > begin]
    if path.read_bytes().endswith(whole[touched[-1][0] :]):
        return  # what is left of the first header is equal to what the last one lost: it is whole
    (part,) = find_parts(path)
    contents = b"".join(
        path.read_bytes()[start:stop]
        for start, stop in zip(
            [0, *(hole[1] for hole in part.holes)], [*(hole[0] for hole in part.holes), part.end], strict=True
        )
    )
    first = touched[0][0]
    assert contents.endswith(whole[touched[-1][1] :])
    before = contents[: len(contents) - len(whole) + touched[-1][1]]
    assert before == whole[:first] or (begin < first + 8 and before == whole[: starts[starts.index(first) - 1]])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_slice_lost_in_the_middle_costs_the_fragments_it_touches(
    make: Make, tmp_path: Path, data: st.DataObject
) -> None:
    whole = make("long-fragmented.mp4").read_bytes()
    starts = fragments(whole)
    begin = data.draw(st.integers(starts[0] + 1, starts[-3]))
    end = data.draw(st.integers(begin + 1, starts[-2]))
    # Data may take the place of other data of the same length; then no box is wrong.
    assume(all(stop - end != later - begin for stop in starts for later in starts if stop > end and later > begin))
    read_without(tmp_path / "f", whole, begin, end)


@pytest.mark.parametrize("fragment", [0, 1])
@pytest.mark.parametrize("left", range(1, 9))
def test_a_slice_lost_from_within_a_header_costs_no_fragment_behind_it(
    make: Make, tmp_path: Path, fragment: int, left: int
) -> None:
    """Behind the index, and behind another fragment: a piece of a header and what follows look like a box."""
    whole = make("long-fragmented.mp4").read_bytes()
    starts = fragments(whole)
    for ahead in range(-9, 10):
        read_without(tmp_path / "f", whole, starts[fragment] + left, starts[-3] + ahead)


def test_a_webm_and_an_mp4_in_one_file_are_two_parts(make: Make, tmp_path: Path) -> None:
    webm, mp4 = make("chrome-vp9.webm").read_bytes(), make("fragmented.mp4").read_bytes()
    assert find_parts(written(tmp_path / "f", webm, mp4)) == [
        Part(0, len(webm), "matroska"),
        Part(len(webm), len(mp4), "mov"),
    ]
    assert find_parts(written(tmp_path / "f", mp4, webm)) == [
        Part(0, len(mp4), "mov"),
        Part(len(mp4), len(webm), "matroska"),
    ]
    cut = mp4[: fragments(mp4)[1] + 40]
    assert [(part.offset, part.demuxer) for part in find_parts(written(tmp_path / "f", cut, webm))] == [
        (0, "mov"),
        (len(cut), "matroska"),
    ]


def test_something_before_the_first_recording_is_passed_over(make: Make, tmp_path: Path) -> None:
    demuxers: dict[str, Demuxer] = {"chrome-vp9.webm": "matroska", "fragmented.mp4": "mov"}
    for name, demuxer in demuxers.items():
        whole = make(name).read_bytes()
        path = written(tmp_path / "f", b"--boundary\r\nContent-Type: video\r\n\r\n", whole)
        assert find_parts(path) == [Part(35, len(whole), demuxer)]


@pytest.mark.parametrize("count", [200, 201])
def test_the_most_parts_are_as_many_as_promised(count: int, tmp_path: Path) -> None:
    recording = box(b"ftyp", b"isom") + box(b"moov")
    path = written(tmp_path / "f", recording * count)
    if count == 200:
        assert len(find_parts(path)) == 200
        return
    with pytest.raises(MediaRejected) as caught:
        find_parts(path)
    assert caught.value.reason == "damaged"


def edit_list(entries: int) -> bytes:
    table = box(b"elst", bytes(4) + entries.to_bytes(4, "big") + bytes(12 * entries))
    return box(b"ftyp", b"isom") + box(b"moov", box(b"mvhd", bytes(100)) + box(b"trak", box(b"edts", table)))


def test_an_edit_list_that_no_editor_makes_is_refused_unread(tmp_path: Path) -> None:
    assert len(find_parts(written(tmp_path / "f", edit_list(1000)))) == 1
    with pytest.raises(MediaRejected) as caught:
        find_parts(written(tmp_path / "f", edit_list(1001)))
    assert caught.value.reason == "too-complex"


def test_millions_of_empty_boxes_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "f", box(b"ftyp", b"isom"), box(b"moov"), box(b"free") * 200_000)
    with pytest.raises(MediaRejected) as caught:
        find_parts(path)
    assert caught.value.reason == "too-complex"


@given(data=st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_bytes_break_the_reader(tmp_path: Path, data: bytes) -> None:
    path = written(tmp_path / "f", b"\0\0\0\x10ftypisom\0\0\0\0", data, b"\0\0\0\x08moov", data)
    try:
        parts = find_parts(path)
    except MediaRejected:
        return
    assert all(part.offset >= 0 and part.end <= path.stat().st_size for part in parts)
