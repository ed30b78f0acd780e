"""Where packets lie in a file, and what is between them."""

from worker.media.containers.container import Part
from worker.media.probing.skipped import Positions, positions_of, positions_of_complaints


def test_headers_between_packets_are_nothing_skipped() -> None:
    positions = Positions(between=64)
    assert [positions.is_behind_skipped(str(at), "1000") for at in (500, 1507, 2571, 3594)] == [False] * 4


def test_bytes_between_packets_were_skipped() -> None:
    positions = Positions(between=64)
    assert [positions.is_behind_skipped(str(at), "1000") for at in (500, 1507, 2700, 3707)] == [
        False,
        False,
        True,
        False,
    ]


def test_a_packet_behind_what_was_left_out_is_told_once() -> None:
    part = Part(100, 10_000, "mov", holes=((1100, 2100), (4100, 4600)))
    positions = positions_of(part, "mov", alpha=False)
    assert positions is not None
    assert positions.joints == (1000, 3000)
    reports = [positions.is_behind_skipped(str(at), "10") for at in (0, 900, 1200, 950, 2900, 3000, 9000)]
    assert reports == [False, False, True, False, False, True, False]


def test_a_transparent_layer_stands_between_packets() -> None:
    part = Part(0, 10_000, "matroska")
    assert positions_of(part, "matroska", alpha=False) is not None
    assert positions_of(part, "matroska", alpha=True) is None


def test_the_reader_says_where_elements_are_damaged() -> None:
    positions = positions_of_complaints(
        "[matroska,webm @ 0x7f00] Element at 0xfa0 ending at 0xc1f892 exceeds containing master element\n"
        "[matroska,webm @ 0x7f00] 0x00 at pos 2000 (0x7d0) invalid as first byte of an EBML number"
    )
    assert positions is not None
    assert positions.joints == (2000, 4000)
    assert positions_of_complaints("[vp9 @ 0x7f00] Invalid frame marker") is None
