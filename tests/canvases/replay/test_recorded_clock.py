"""The clock of a film with sound: it runs while somebody speaks."""

from hypothesis import given
from hypothesis import strategies as st

from worker.canvases.replay.recorded_clock import RecordedClock


def test_the_film_lasts_as_long_as_the_voice() -> None:
    clock = RecordedClock([(10_000, 70_000)], [(20_000, 21_000)])
    assert (clock.begin, clock.duration_ms) == (10_000, 60_000)
    assert [clock.film(at) for at in (10_000, 20_000, 70_000)] == [0, 10_000, 60_000]


def test_what_was_drawn_before_the_voice_is_there_from_the_beginning() -> None:
    clock = RecordedClock([(10_000, 70_000)], [(0, 2_000), (9_000, 11_000)])
    assert [clock.film(at) for at in (0, 2_000, 9_000, 11_000)] == [0, 0, 0, 1_000]


def test_what_was_drawn_in_a_pause_appears_at_its_end_and_the_pause_is_left_out() -> None:
    clock = RecordedClock([(0, 10_000), (40_000, 60_000)], [(15_000, 16_000), (39_000, 41_000)])
    assert clock.duration_ms == 30_000
    assert [clock.film(at) for at in (9_999, 10_000, 15_000, 39_000, 40_000, 41_000)] == [
        9_999,
        10_000,
        10_000,
        10_000,
        10_000,
        11_000,
    ]


def test_what_follows_the_voice_is_shown_in_silence_without_its_idle_time() -> None:
    clock = RecordedClock([(0, 10_000)], [(9_000, 11_000), (60_000, 61_000)])
    assert [clock.film(at) for at in (11_000, 60_000, 61_000)] == [11_000, 14_000, 15_000]
    assert clock.duration_ms == 17_000


def test_a_stroke_at_the_end_of_the_voice_is_seen_for_a_moment() -> None:
    assert RecordedClock([(0, 10_000)], [(9_000, 9_900)]).duration_ms == 11_900


def test_what_happens_after_the_end_is_not_in_the_film() -> None:
    clock = RecordedClock([(0, 10_000)], [(1_000, 2_000)])
    assert [clock.at(at) for at in (None, 10_000, 10_001)] == [None, 10_000, None]


def test_two_voices_at_once_are_one_clock() -> None:
    clock = RecordedClock([(5_000, 20_000), (0, 10_000)], [])
    assert (clock.begin, clock.duration_ms) == (0, 20_000)


stretches = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(1, 5_000)).map(lambda pair: (pair[0], sum(pair))), max_size=8
)


@given(stretches.filter(bool), stretches, st.lists(st.integers(0, 20_000)))
def test_the_film_never_runs_backwards(
    voice: list[tuple[int, int]], drawn: list[tuple[int, int]], at: list[int]
) -> None:
    clock = RecordedClock(voice, drawn)
    times = [clock.film(instant) for instant in sorted(at)]
    assert times == sorted(times)
    assert all(0 <= time <= clock.duration_ms for time in times)
    for start, end in voice:
        assert clock.film(end) - clock.film(start) == end - start
