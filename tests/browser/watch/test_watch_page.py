"""`/watch/{id}` in a real browser: each way to watch a lesson, and what the picture shows."""

import pytest

from tests.browser.watch.conftest import Lesson, Open, Viewer
from tests.waiting import wait_for

# The picture and the clock are read one after the other.
_NEAR = 0.35


def _play(viewer: Viewer, way: str) -> None:
    viewer.wait(f"document.querySelector('[name=way]:checked')?.value === '{way}'")
    viewer.click("start")
    viewer.wait("parseFloat(document.getElementById('seek').value) > 1")


def _seek(viewer: Viewer, seconds: float) -> None:
    viewer.run(
        f"document.getElementById('seek').value = {seconds};"
        "document.getElementById('seek').dispatchEvent(new Event('change'))"
    )


def _assert_shown(viewer: Viewer) -> None:
    """The picture shows the time of the sound."""
    wait_for(
        lambda: abs(viewer.shown_time() - viewer.time()) < _NEAR,
        details=lambda: (viewer.shown_time(), viewer.time(), viewer.run("faults")),
    )


def _wait_until_shown(viewer: Viewer, seconds: float) -> None:
    wait_for(
        lambda: abs(viewer.shown_time() - seconds) < _NEAR,
        details=lambda: (seconds, viewer.shown_time(), viewer.time(), viewer.run("faults")),
    )


def _assert_seeks(viewer: Viewer) -> None:
    """Three places, each shown by the picture."""
    viewer.click("play")
    for seconds in (7.0, 2.0, 10.0):
        _seek(viewer, seconds)
        _wait_until_shown(viewer, seconds)
        assert abs(viewer.time() - seconds) < _NEAR


@pytest.mark.parametrize("way", ["strokes", "360p", "playback"])
def test_each_way_plays_and_seeks(lesson: Lesson, open_lesson: Open, way: str) -> None:
    {"strokes": lesson.put_strokes, "360p": lesson.put_film_and_sound, "playback": lesson.put_playback}[way]()
    viewer = open_lesson()
    _play(viewer, way)
    _assert_shown(viewer)
    _assert_seeks(viewer)
    assert viewer.run("faults") == []
