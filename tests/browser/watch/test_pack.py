"""A pack, opened from a file with the network off: it plays to its end, and its strokes follow its voice."""

import json
from pathlib import Path

import httpx2
import pytest

from tests.browser.chromium import Chromium
from tests.browser.watch.conftest import WATCHED, Lesson, Viewer, fetch_pack
from tests.browser.watch.frames import take_frames, watch_frames
from tests.browser.watch.lesson import SECONDS, LessonFiles
from tests.conftest import Processes, Sql
from tests.waiting import wait_for
from worker.player.player_files import joined
from worker.player.write_pack import PackCaptions, PackCue, PackedLesson, write_pack
from worker.recordings.texts.fold_text import fold_text

# Seconds between voice and strokes in one frame.
_NEAR = 0.1
_FRAMES = 30
_CHAPTERS = {"chapters": [{"start_ms": 0, "title": "<b>One half"}, {"start_ms": 6000, "title": "አንድ አራተኛ"}]}
_CAPTIONS = "WEBVTT\n\n00:01.000 --> 00:11.500\nሰላም ተማሪዎች\n"


@pytest.fixture
def pack(lesson: Lesson, processes: Processes, tmp_path: Path, sql: Sql) -> Path:
    """The lesson's pack as a worker makes it."""
    lesson.put_strokes()
    headers = {"Authorization": f"Bearer {lesson.token}"}
    address = f"{lesson.api}/v1/recordings/{lesson.recording}"
    assert httpx2.put(f"{address}/chapters", json=_CHAPTERS, headers=headers).status_code == 200
    assert httpx2.put(f"{address}/captions/am", content=_CAPTIONS.encode(), headers=headers).status_code == 200
    content = fetch_pack(lesson, processes)
    [(state, size)] = sql("SELECT state, bytes FROM recording_renditions WHERE name = 'pack-en'")
    assert (state, size) == ("ready", len(content))
    path = tmp_path / "lesson.html"
    path.write_bytes(content)
    return path


def test_a_pack_without_a_voice_plays_its_strokes(browser: Chromium, lesson_files: LessonFiles, tmp_path: Path) -> None:
    path = tmp_path / "silent.html"
    with path.open("wb") as file:
        captions = [PackCaptions("am", [PackCue(1, 2, "ሰላም፣ ጐንደር!")])]
        write_pack(PackedLesson("Fractions", None, strokes=lesson_files.replay, captions=captions), "en", file)
    page = browser.page()
    page.run_before_each_load(WATCHED)
    page.open(path.as_uri())
    viewer = Viewer(page)
    viewer.wait("!document.getElementById('player').hidden")
    viewer.click("start")
    viewer.wait("parseFloat(document.getElementById('seek').value) > 1")
    assert viewer.text("play") == "Pause"
    viewer.run("searchText.value = 'ጎንደር ሰላም'; document.getElementById('search').requestSubmit()")
    viewer.wait("document.getElementById('searchCount').textContent === '1 places'")
    assert viewer.run("faults") == []


def test_a_pack_compares_text_as_the_search_of_the_api_does(browser: Chromium) -> None:
    codes = (*range(0x20, 0x7F), *range(0xE0, 0x250), *range(0x1200, 0x13A0))
    letters = [chr(code) for code in codes]
    page = browser.page()
    page.run(f"{joined(('contents',))}; 0")
    assert page.run(f"{json.dumps(letters)}.map(fold)") == [fold_text(letter) for letter in letters]


def test_a_pack_plays_to_its_end_without_a_network(browser: Chromium, pack: Path) -> None:
    page = browser.page()
    size = {"width": 900, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.call("Emulation.setDeviceMetricsOverride", size)
    page.run_before_each_load(WATCHED)
    page.cut()
    page.open(pack.as_uri())
    viewer = Viewer(page)
    viewer.wait("!document.getElementById('player').hidden")
    viewer.run("captions.value = 'am'; captions.dispatchEvent(new Event('change'))")
    viewer.click("start")
    viewer.wait("parseFloat(document.getElementById('seek').value) > 1.2")
    watch_frames(page)
    assert viewer.text("caption") == "ሰላም ተማሪዎች"
    viewer.run("document.querySelectorAll('#chapterList button')[1].click()")
    viewer.wait("parseFloat(document.getElementById('seek').value) >= 6")
    assert viewer.run("document.querySelector('#chapterList [aria-current=true]').textContent") == "0:06አንድ አራተኛ"
    viewer.wait(f"parseFloat(document.getElementById('seek').value) > {SECONDS - 0.3}")
    frames = take_frames(page)
    assert len(frames) >= _FRAMES
    assert [frame for frame in frames if abs(frame.late) >= _NEAR] == []
    viewer.wait("document.getElementById('play').textContent === 'Play'")
    wait_for(lambda: abs(viewer.shown_time() - SECONDS) < _NEAR, details=lambda: (viewer.shown_time(), viewer.time()))
    assert viewer.run("document.querySelectorAll('#pageList button').length") == 2
    assert viewer.run("faults") == []
