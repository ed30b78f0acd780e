"""The time that the player shows of a medium whose own time is coarse: by the script itself, on frames of a table."""

from collections.abc import Sequence
from itertools import accumulate, chain, repeat

import pytest

from tests.browser.chromium import Chromium, Page
from worker.player.player_files import player_file

_NEAR = 0.1
_FRAME = 1 / 60
# Seconds until the size of the clock's steps is known.
_LEARNED = 0.6
# Each frame's medium has the time of the last update; `late` is how far what is shown is from the true time.
_SHOW = """(({ frames, rate, grain, place, delay }) => {
  const medium = { paused: false, seeking: false, playbackRate: rate, readyState: 4, currentTime: 0 };
  const fine = new FineTime(medium);
  const late = [];
  for (const now of frames) {
    const time = place + Math.max(0, now - delay) * rate;
    const step = grain * rate;
    medium.currentTime = step ? Math.max(place, Math.floor(time / step) * step) : time;
    late.push([time - place, time - fine.next(now)]);
  }
  return late;
})"""


@pytest.fixture(scope="module")
def blank(running_browser: Chromium) -> Page:
    page = running_browser.page()
    page.run(f"{player_file('scripts/player.js')}; window.show = {_SHOW}; 0")
    return page


def _late(
    page: Page, pauses: Sequence[float], *, rate: float, grain: float, place: float = 0, delay: float = 0
) -> list[tuple[float, float]]:
    frames = [round(now, 6) for now in accumulate(pauses)]
    values = {"rate": rate, "grain": grain, "place": place, "delay": delay}
    return [(played, late) for played, late in page.run(f"show({ {'frames': frames, **values} })")]


_EVEN = tuple(repeat(_FRAME, 360))
# A page that is held up now and then, as on a slow phone.
_UNEVEN = tuple(chain.from_iterable((*repeat(_FRAME, 20), 0.3, 0.12, *repeat(_FRAME, 7), 0.6) for _ in range(6)))


@pytest.mark.parametrize("pauses", [_EVEN, _UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("rate", [0.5, 1, 2])
def test_a_clock_of_quarters_of_a_second_is_continued(blank: Page, pauses: Sequence[float], rate: float) -> None:
    shown = _late(blank, pauses, rate=rate, grain=0.25)
    assert [late for played, late in shown if played > _LEARNED * rate and abs(late) >= _NEAR] == []
    # Without it, it is late by up to a step.
    assert max(abs(late) for _played, late in shown) <= 0.25 * rate + 1e-6


@pytest.mark.parametrize("pauses", [_EVEN, _UNEVEN], ids=["even", "uneven"])
def test_a_clock_that_changes_with_each_frame_is_shown_as_it_is(blank: Page, pauses: Sequence[float]) -> None:
    assert max(abs(late) for _played, late in _late(blank, pauses, rate=1, grain=0)) < 1e-6


def test_a_medium_that_has_not_begun_is_not_run_ahead_of(blank: Page) -> None:
    shown = _late(blank, _EVEN, rate=1, grain=0.25, place=3, delay=2)
    assert min(late for _played, late in shown) > -_NEAR
