"""Pieces of a recording that changed places, and a clock that began again."""

from worker.media.containers.order import Piece, in_order, joined


def pieces(*numbers_and_times: tuple[int, int]) -> list[Piece]:
    return [Piece(at * 10, at * 10 + 10, number, {1: time}) for at, (number, time) in enumerate(numbers_and_times)]


def test_what_is_in_order_is_left_alone() -> None:
    assert in_order(pieces((1, 0), (2, 100), (3, 200))) is None
    assert in_order(pieces((1, 0), (2, 100), (2, 100), (3, 200))) is None


def test_pieces_that_changed_places_are_put_back() -> None:
    assert in_order(pieces((1, 0), (3, 200), (2, 100), (4, 300))) == [(0, 10), (20, 30), (10, 20), (30, 40)]
    assert in_order(pieces((1, 0), (4, 300), (5, 400), (2, 100), (3, 200))) == [(0, 10), (30, 50), (10, 30)]


def test_a_clock_that_began_again_is_no_other_order() -> None:
    assert in_order(pieces((3, 200), (4, 300), (1, 0), (2, 100))) is None
    assert in_order(pieces((1, 0), (2, 100), (3, 200), (1, 50), (2, 150))) is None


def test_numbers_and_times_that_contradict_each_other_tell_nothing() -> None:
    assert in_order(pieces((1, 0), (3, 100), (2, 200))) is None


def test_ranges_that_touch_are_one() -> None:
    assert joined([(0, 5), (5, 9), (20, 30), (9, 20)]) == [(0, 9), (20, 30), (9, 20)]
