"""`/recorder.js` in a real browser: whatever interrupts it, the server has all that it recorded."""

import os
from collections.abc import Mapping
from typing import Any

from tests.browser.conftest import EXACT, RecorderHarness, Watch, assert_as_painted, assert_whole
from tests.browser.film import ROUND

# A browser on a busy machine records its first picture up to this many seconds after it was asked to.
_LATE = 1.0
# How long the link is cut; by hand it was ten minutes (docs/recorder.md).
_CUT_SECONDS = float(os.environ.get("RECORDER_CUT_SECONDS", "5"))


def _middle_of(mark: Mapping[str, Any], start: float) -> float:
    """When nothing was recorded, by the clock of the pictures."""
    return (start + float(mark["from_ms"] + mark["to_ms"]) / 2000) % ROUND


def test_twenty_seconds_with_a_cut_link_arrive_whole_and_in_time(harness: RecorderHarness, watch: Watch) -> None:
    start = harness.record()
    harness.wait_for_seconds(6)
    harness.page.cut()
    harness.wait_for_seconds(6 + _CUT_SECONDS)
    state = harness.run("harness.recorder.state")
    assert state["link"] == "offline"
    assert (state["disk"], state["memoryBytes"]) == ("files", 0)
    assert state["waitingBytes"] > 0
    harness.page.reconnect()
    harness.wait_for_seconds(15 + _CUT_SECONDS)
    receipt = harness.finish()
    assert (receipt["state"], receipt["gaps"]) == ("finished", [])
    film = watch(receipt["recording_id"])
    assert film.duration >= 14 + _CUT_SECONDS
    assert_as_painted(film)
    assert_whole(film, start, range(int(film.duration)))
    assert len(film.offsets) >= 5
    assert max(map(abs, film.offsets)) < 0.08
    assert harness.run("errors") == []


def test_a_recording_goes_on_behind_a_reload(harness: RecorderHarness, watch: Watch) -> None:
    start = harness.record()
    harness.wait_for_seconds(7)
    harness.open()
    harness.take_up()
    length_before = harness.run("harness.recorder.state.recordedMs") / 1000
    harness.run("harness.recorder.start(harness.stream())")
    harness.wait_for_seconds(length_before + 6)
    receipt = harness.finish()
    (gap,) = receipt["gaps"]
    assert gap["kind"] == "gap"
    assert abs(gap["from_ms"] / 1000 - length_before) < EXACT
    length = harness.run("harness.recorder.state.recordedMs") / 1000
    film = watch(receipt["recording_id"])
    assert_as_painted(film, split=_middle_of(gap, start))
    assert_whole(film, start, range(int(length_before) - 1))
    assert_whole(film, start + gap["to_ms"] / 1000, range(int(length - length_before) - 1))
    assert harness.run("harness.left().then((left) => left.length)") == 0
    assert harness.run("errors") == []


def test_what_a_killed_browser_held_is_sent_by_the_next(harness: RecorderHarness, watch: Watch) -> None:
    start = harness.record()
    harness.wait_for_seconds(4)
    harness.page.cut()
    harness.wait_for_seconds(10)
    harness.kill_browser()
    harness.open_browser()
    harness.open()
    harness.take_up()
    left = harness.run("harness.recorder.state")
    assert left["phase"] == "left"
    assert left["waitingBytes"] > 0
    harness.run("harness.recorder.send()")
    harness.wait("harness.recorder.state.phase === 'finished'")
    film = watch(harness.run("harness.recorder.state.receipt.recording_id"))
    assert_as_painted(film)
    assert left["recordedMs"] >= 8_000
    assert_whole(film, start, range(int(film.duration)))


def test_pauses_are_marks_and_no_part_of_the_recording(harness: RecorderHarness, watch: Watch) -> None:
    harness.record()
    harness.wait_for_seconds(3)
    harness.run("harness.recorder.pause(); harness.pausedAt = Date.now(); 0")
    harness.wait("Date.now() > harness.pausedAt + 3000")
    harness.run("harness.recorder.resume()")
    harness.wait_for_seconds(6)
    receipt = harness.finish()
    (mark,) = receipt["marks"]
    assert (mark["kind"], receipt["gaps"]) == ("pause", [])
    assert mark["to_ms"] - mark["from_ms"] >= 3_000
    film = watch(receipt["recording_id"])
    pause = (mark["to_ms"] - mark["from_ms"]) / 1000
    assert abs(film.duration + pause - film.painted_seconds()) < EXACT + film.longest_picture()


def test_beside_a_canvas_on_which_nothing_is_drawn_the_sound_is_whole(harness: RecorderHarness, watch: Watch) -> None:
    harness.record()
    harness.wait_for_seconds(2)
    harness.run("harness.isPainting = false")
    harness.wait_for_seconds(12)
    # A slice begins at most every three and a half seconds.
    assert harness.run("harness.recorder.state.storedBytes") > 0
    receipt = harness.finish()
    film = watch(receipt["recording_id"])
    assert abs(film.duration - harness.run("harness.recorder.state.recordedMs") / 1000) < _LATE
    assert len(film.onsets) >= 5
