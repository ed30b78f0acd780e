"""Time that goes back: as pure lists of packets."""

from dataclasses import replace
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.media.probing.correction import Correction, Packet
from worker.media.probing.find_correction import correct

VIDEO, AUDIO = 0, 1


def lesson(start: float, seconds: float, *, seed: int = 1) -> list[Packet]:
    """Pictures and sound in turn, each with a size of its own, as a browser writes them."""
    packets = []
    for number in range(round(seconds * 20)):
        at = round(start + number * 0.05, 3)
        size = (number + 1) * 7919 * seed % 4999
        packets += [
            Packet(VIDEO, at, 0.0, size, True, at),
            Packet(AUDIO, round(at + 0.01, 3), 0.05, size + 1, False, at + 0.01),
        ]
    return packets


def corrected(packets: list[Packet], correction: Correction) -> list[Packet]:
    """The packets that are left, with their new times."""
    remaining, counts = [], {VIDEO: 0, AUDIO: 0}
    for packet in packets:
        shift = correction.shift(packet.stream, counts[packet.stream])
        counts[packet.stream] += 1
        if shift is not None:
            remaining.append(replace(packet, at=round(packet.at + shift, 3)))
    return remaining


def times(packets: list[Packet], stream: int) -> list[float]:
    return [packet.at for packet in packets if packet.stream == stream]


def test_time_that_goes_forward_needs_nothing() -> None:
    assert correct(lesson(0, 10)) is None
    assert correct([]) is None


def test_a_chunk_that_came_twice_is_left_out_once() -> None:
    whole = lesson(0, 10)
    packets = whole[:160] + whole[120:160] + whole[160:]
    correction = correct(packets)
    assert correction is not None
    assert corrected(packets, correction) == whole
    (repair,) = correction.repairs
    assert (repair.kind, repair.at_ms, repair.length_ms) == ("repeated", 4010, 1010)


def test_a_chunk_that_came_late_is_left_out() -> None:
    whole = lesson(0, 10)
    packets = whole[:80] + whole[120:160] + whole[80:120] + whole[160:]
    correction = correct(packets)
    assert correction is not None
    assert corrected(packets, correction) == whole[:80] + whole[120:]


def test_a_clock_that_began_again_goes_on() -> None:
    packets = lesson(0, 4) + lesson(0, 5, seed=3)
    correction = correct(packets)
    assert correction is not None
    remaining = corrected(packets, correction)
    assert len(remaining) == len(packets)
    for stream in (VIDEO, AUDIO):
        assert times(remaining, stream) == sorted(times(remaining, stream))
    assert remaining[-1].at == pytest.approx(9.0, abs=0.1)
    # Picture and sound stay together.
    assert times(remaining, AUDIO)[-1] - times(remaining, VIDEO)[-1] == pytest.approx(0.01, abs=0.001)


def test_reordered_pictures_are_as_they_should_be() -> None:
    ats = [0.0, 0.4, 0.2, 0.1, 0.3, 0.8, 0.6, 0.5, 0.7]
    assert correct([Packet(VIDEO, at, 0.1, 100, True, None) for at in ats]) is None
    assert correct([Packet(VIDEO, at, 0.1, 100, True, number * 0.1) for number, at in enumerate(ats)]) is None


def test_a_file_in_wild_disorder_is_left_alone() -> None:
    packets = [packet for second in range(60, 0, -1) for packet in lesson(second, 1, seed=second)]
    assert correct(packets) is None


@given(st.lists(st.sampled_from(["next", "again", "late", "zero"]), max_size=6), st.integers(1, 5))
def test_time_never_goes_back_and_the_filters_say_the_same(chunks: list[str], seed: int) -> None:
    packets, at = lesson(0, 2, seed=seed), 2.0
    for number, chunk in enumerate(chunks):
        if chunk == "again":
            packets += packets[-20:]
        elif chunk == "late":
            packets += lesson(at + 1, 1, seed=number + 7) + lesson(at, 1, seed=number + 8)
            at += 2
        elif chunk == "zero":
            packets, at = packets + lesson(0, 1, seed=number + 11), 1.0
        else:
            packets, at = packets + lesson(at, 1, seed=number + 13), at + 1
    correction = correct(packets)
    remaining = packets if correction is None else corrected(packets, correction)
    for stream in (VIDEO, AUDIO):
        ats = times(remaining, stream)
        assert all(after >= before for before, after in pairwise(ats))
        if correction is not None:
            dropped = len(times(packets, stream)) - len(ats)
            assert sum(end - start for start, end in correction.drops.get(stream, ())) == dropped
            assert all(len(list(group)) == 1 for _, group in groupby(correction.filters(stream)))
