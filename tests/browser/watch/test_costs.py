"""What a lesson costs, and where somebody was: the sizes shown are the bytes that pass the link; the place is kept."""

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.browser.chromium import Chromium
from tests.browser.watch.conftest import MONTH, WATCHED, Lesson, Open, Viewer
from tests.browser.watch.thin_link import ThinLink, thin_link
from tests.waiting import wait_for
from worker.player.readable import size_text

# Seconds: less than what the page loads in front of the place that is heard.
_SECONDS = 50
_PERCENT = 0.05


def _put_sound(lesson: Lesson, folder: Path) -> int:
    """A sound large enough that the headers of its responses do not count."""
    path = folder / "loud.webm"
    noise = ["-f", "lavfi", "-i", f"anoisesrc=d={_SECONDS}:c=white:a=0.5"]
    opus = ["-c:a", "libopus", "-b:a", "160k", "-ac", "1", "-frame_duration", "60", "-cues_to_front", "1"]
    command = [str(lesson.context.binaries.ffmpeg), "-v", "error", "-y", *noise, *opus, str(path)]
    subprocess.run(command, check=True)
    return lesson.put("audio", path, "audio/webm", "opus")


def _browser(program: str, home: Path, link: ThinLink) -> Chromium:
    return Chromium(program, home, "--autoplay-policy=no-user-gesture-required", *link.flags)


@pytest.mark.parametrize("way", ["strokes", "sound"])
def test_the_size_that_is_shown_is_what_passes_the_link(
    lesson: Lesson, chromium_program: str, tmp_path: Path, way: str
) -> None:
    size = _put_sound(lesson, tmp_path)
    if way == "strokes":
        size += lesson.put("replay", lesson.files.replay, "application/json", encoding="gzip")
    with thin_link(50_000_000) as link, closing(_browser(chromium_program, tmp_path, link)) as browser:
        page = browser.page()
        page.run_before_each_load(f"localStorage.setItem('token', '{lesson.token}'); {WATCHED}")
        page.open(lesson.url)
        viewer = Viewer(page)
        viewer.wait(f"document.querySelector('[name=mode]:checked')?.value === '{way}'")
        shown = viewer.run(
            "document.querySelector('[name=mode]:checked').closest('label').querySelector('b').textContent"
        )
        assert shown == size_text(size)
        before = link.passed["down"]
        viewer.click("start")
        viewer.wait(f"Math.abs({MONTH} / {size} - 1) < {_PERCENT}")
        wait_for(lambda: abs((link.passed["down"] - before) / size - 1) < _PERCENT, details=lambda: link.passed)
        assert viewer.text("lessonBytes") == viewer.text("monthBytes")
        assert abs(viewer.run(MONTH) / size - 1) < _PERCENT
        page.open(lesson.url + "?again")
        viewer.wait("document.getElementById('monthBytes').textContent.startsWith('9')")
        assert viewer.text("lessonBytes") == "0 KB"


def test_the_place_is_remembered(lesson: Lesson, open_lesson: Open, tmp_path: Path) -> None:
    _put_sound(lesson, tmp_path)
    lesson.lengthen(_SECONDS)
    viewer = open_lesson()
    viewer.wait("document.querySelector('[name=mode]:checked')")
    viewer.run("seek.value = 31; seek.dispatchEvent(new Event('change'))")
    viewer.click("play")
    viewer.wait("parseFloat(seek.value) > 31.5")
    viewer.click("play")
    viewer.page.open(lesson.url + "?again")
    viewer.wait("parseFloat(document.getElementById('seek').value) > 31.2")
    viewer.page.open(lesson.url + "?t=20")
    viewer.wait("Math.abs(document.getElementById('seek').value - 20) < 0.1")
    # As in the code of a board's first page.
    viewer.page.open(lesson.url + "?t=0")
    viewer.wait("document.querySelector('[name=mode]:checked')")
    assert viewer.run("document.getElementById('seek').value") == "0"
    # At its end a lesson begins again.
    viewer.run(f"seek.value = {_SECONDS - 2}; seek.dispatchEvent(new Event('change'))")
    viewer.wait("Object.keys(localStorage).every((key) => !key.startsWith('watch-place'))")
    assert viewer.run("faults") == []
