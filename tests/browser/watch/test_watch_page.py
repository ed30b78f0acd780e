"""`/watch/{id}` in a real browser: each way to watch a lesson, and what the picture shows."""

from pathlib import Path

import httpx2
import pytest

from tests.browser.watch.conftest import Lesson, Open, Viewer
from tests.browser.watch.frames import Frame, take_frames, watch_frames
from tests.browser.watch.lesson import SECONDS
from tests.waiting import wait_for
from worker.recordings.activity import activity_document

# Seconds between voice and strokes in one frame, and between a place and the strokes that stand still there.
_NEAR = 0.1
# A film has ten pictures a second: the one that is shown began up to a tenth before.
_PICTURE = 0.2
_FRAMES = 30


def _play(viewer: Viewer, way: str) -> None:
    viewer.wait(f"document.querySelector('[name=mode]:checked')?.value === '{way}'")
    viewer.click("start")
    viewer.wait("parseFloat(document.getElementById('seek').value) > 1")


def _seek(viewer: Viewer, seconds: float) -> None:
    viewer.run(
        f"document.getElementById('seek').value = {seconds};"
        "document.getElementById('seek').dispatchEvent(new Event('change'))"
    )


def _wait_until_shown(viewer: Viewer, seconds: float, near: float) -> None:
    wait_for(
        lambda: abs(viewer.shown_time() - seconds) < near,
        details=lambda: (seconds, viewer.shown_time(), viewer.time(), viewer.run("faults")),
    )


def _assert_seeks(viewer: Viewer, near: float) -> None:
    """Three places, each shown by the picture while it stands still."""
    viewer.click("play")
    for seconds in (7.0, 2.0, 10.0):
        _seek(viewer, seconds)
        _wait_until_shown(viewer, seconds, near)
        assert abs(viewer.time() - seconds) < _NEAR


@pytest.mark.parametrize("way", ["strokes", "360p", "playback"])
def test_each_way_plays_and_seeks(lesson: Lesson, open_lesson: Open, way: str) -> None:
    {"strokes": lesson.put_strokes, "360p": lesson.put_film_and_sound, "playback": lesson.put_playback}[way]()
    viewer = open_lesson()
    _play(viewer, way)
    _assert_seeks(viewer, _NEAR if way == "strokes" else _PICTURE)
    assert viewer.run("faults") == []


def test_strokes_are_drawn_where_the_voice_is(lesson: Lesson, open_lesson: Open) -> None:
    lesson.put_strokes()
    viewer = open_lesson()
    _play(viewer, "strokes")
    watch_frames(viewer.page)
    frames = []
    for place, speed in ((7, 1), (2, 1), (1, 0.5), (1, 2)):
        viewer.run(f"speed.value = '{speed}'; speed.dispatchEvent(new Event('change'))")
        _seek(viewer, place)
        frames += _next_frames(viewer, speed)
    assert [frame for frame in frames if abs(frame.late) >= _NEAR] == []
    assert viewer.run("faults") == []


def test_a_film_without_sound_follows_the_voice(lesson: Lesson, open_lesson: Open) -> None:
    lesson.put_film_and_sound()
    viewer = open_lesson()
    _play(viewer, "360p")
    watch_frames(viewer.page)
    for speed in (1, 2, 0.5):
        _seek(viewer, 1)
        viewer.run(f"speed.value = '{speed}'; speed.dispatchEvent(new Event('change'))")
        wait_for(
            lambda speed=speed: all(abs(frame.late) < _NEAR for frame in _next_frames(viewer, speed)),  # type: ignore[misc]
            details=lambda: _next_frames(viewer, 1),
        )


def _next_frames(viewer: Viewer, speed: float) -> list[Frame]:
    """At least thirty frames from now on in which the sound moves at this speed."""
    take_frames(viewer.page)
    frames: list[Frame] = []

    def are_enough() -> bool:
        frames.extend(frame for frame in take_frames(viewer.page) if frame.rate == speed)
        return len(frames) >= _FRAMES

    wait_for(are_enough, details=lambda: (frames, viewer.time()))
    return frames


def test_keyboard_speed_place_captions_search_and_bytes(lesson: Lesson, open_lesson: Open) -> None:
    size = lesson.put_strokes()
    headers = {"Authorization": f"Bearer {lesson.token}"}
    address = f"{lesson.api}/v1/recordings/{lesson.recording}"
    captions = "WEBVTT\n\n00:01.000 --> 00:11.000\n<b>ሀምሳ</b> ተማሪዎች\n".encode()
    assert httpx2.put(f"{address}/captions/am", content=captions, headers=headers).status_code == 200
    chapters = {"chapters": [{"start_ms": 0, "title": "Halves"}, {"start_ms": 7000, "title": "<i>Quarters"}]}
    assert httpx2.put(f"{address}/chapters", json=chapters, headers=headers).status_code == 200
    viewer = open_lesson(width=320)
    viewer.wait("document.querySelectorAll('#chapterList button').length === 2")
    assert viewer.text("title") == "Fractions"
    assert viewer.text("lessonBytes") == "0 KB"
    viewer.run("document.activeElement.blur()")
    viewer.press(" ", 32)
    viewer.wait("parseFloat(document.getElementById('seek').value) > 1")
    viewer.press("k", 75)
    viewer.wait("document.getElementById('play').textContent === 'Play'")
    viewer.press(">", 190)
    assert viewer.run("[document.getElementById('speed').value, document.getElementById('voice').playbackRate]") == [
        "1.25",
        1.25,
    ]
    before = viewer.time()
    viewer.press("ArrowRight", 39)
    viewer.wait(f"Math.abs(document.getElementById('seek').value - {before + 5}) < 0.3")
    viewer.run("captions.value = 'am'; captions.dispatchEvent(new Event('change'))")
    viewer.wait("document.getElementById('caption').textContent === 'ሀምሳ ተማሪዎች'")
    viewer.run("searchText.value = 'ሐምሳ'; document.getElementById('search').requestSubmit()")
    viewer.wait("document.querySelectorAll('#searchList button').length === 1")
    # The answer to an earlier search comes last.
    viewer.run("""{
        const ask = fetch;
        globalThis.fetch = async (url, ...options) => {
            const response = await ask(url, ...options);
            if (String(url).includes('q=none')) await new Promise((answer) => { globalThis.answer = answer; });
            return response;
        };
        for (const text of ['none', 'ሐምሳ']) {
            searchText.value = text;
            document.getElementById('search').requestSubmit();
        }
    }""")
    viewer.wait("globalThis.answer")
    viewer.run("answer()")
    viewer.wait("document.querySelectorAll('#searchList button').length === 1")
    viewer.run("document.querySelector('#searchList button').click()")
    viewer.wait("Math.abs(document.getElementById('seek').value - 1) < 0.3")
    # All of it is here: what was shown before is what has moved.
    moved = "localStorage.getItem(`watch-bytes-${new Date().toISOString().slice(0, 7)}`)"
    viewer.wait(f"Math.abs(Number({moved}) / {size} - 1) < 0.05")
    assert viewer.run("document.documentElement.scrollWidth") <= 320
    assert viewer.run("faults") == []


def test_everything_has_a_name_and_a_size_for_fingers(lesson: Lesson, open_lesson: Open) -> None:
    lesson.put_strokes()
    viewer = open_lesson(width=320)
    viewer.wait("document.querySelector('[name=mode]:checked')")
    nameless = """[...document.querySelectorAll('button, input, select, a')]
      .filter((each) => each.checkVisibility() && !each.textContent.trim() && !each.getAttribute('aria-label')
        && !each.labels?.length).map((each) => each.outerHTML)"""
    assert viewer.run(nameless) == []
    small = """[...document.querySelectorAll('button, select, input[type=range], input[type=search]')]
      .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 24).map((each) => each.id)"""
    assert viewer.run(small) == []
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    viewer.page.call("Emulation.setEmulatedMedia", {"features": features})
    moving = "[...document.querySelectorAll('*')].some((each) => getComputedStyle(each).animationName !== 'none')"
    assert viewer.run(moving) is False
    viewer.run("document.activeElement.blur()")
    viewer.press("Tab", 9)
    assert viewer.run("document.activeElement.matches(':focus-visible')") is True
    assert viewer.run("document.documentElement.scrollWidth") <= 320


def test_silences_are_skipped(lesson: Lesson, open_lesson: Open, tmp_path: Path) -> None:
    lesson.put_strokes()
    activity = tmp_path / "activity.json"
    activity.write_bytes(activity_document([(1000, 9000)], SECONDS * 1000))
    lesson.put("activity", activity, "application/json")
    viewer = open_lesson()
    viewer.wait("!document.getElementById('quietLabel').hidden")
    viewer.click("quiet")
    viewer.run("window.places = []; addEventListener('seeking', () => places.push(voice.currentTime), true)")
    viewer.click("start")
    viewer.wait("voice.currentTime > 9")
    assert viewer.run("places.some((place) => Math.abs(place - 8.8) < 0.01)") is True
    assert viewer.run("faults") == []
