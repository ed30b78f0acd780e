"""How soon a lesson is heard and seen on a thin link: the figures are printed (`pytest -s`), the caps are generous."""

import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.browser.chromium import Chromium
from tests.browser.watch.conftest import WATCHED, Lesson, Viewer
from tests.browser.watch.lesson import timeline
from tests.browser.watch.thin_link import thin_link
from tests.waiting import wait_for
from worker.canvases.replay.replay_json import pack_replay

_MINUTES = 10
# The promises are 3 and 5 s; a loaded machine is slower by itself.
_MOST = 60.0


@dataclass(frozen=True)
class _Start:
    """Seconds from the address to the button, and from there to the sound and to a picture."""

    ready: float
    heard: float
    seen: float


def _long_replay(path: Path) -> Path:
    """The lesson's strokes, and a thousand more that follow one another."""
    lesson = timeline()
    wave = lesson.strokes[-1]
    more = [replace(wave, place=20 + n, start=20_000 + 500 * n, end=20_400 + 500 * n) for n in range(1000)]
    path.write_bytes(pack_replay(replace(lesson, strokes=(*lesson.strokes, *more), duration_ms=_MINUTES * 60_000)))
    return path


def _run(lesson: Lesson, *arguments: str) -> None:
    subprocess.run([str(lesson.context.binaries.ffmpeg), "-v", "error", "-y", *arguments], check=True)


def _put_sound(lesson: Lesson, folder: Path) -> None:
    path = folder / "long.webm"
    speech = f"anoisesrc=d={_MINUTES * 60}:c=pink:a=0.3"
    opus = ["-c:a", "libopus", "-b:a", "16k", "-ac", "1", "-frame_duration", "60", "-application", "voip"]
    _run(lesson, "-f", "lavfi", "-i", speech, *opus, "-cues_to_front", "1", str(path))
    lesson.put("audio", path, "audio/webm", "opus")


def _put_film(lesson: Lesson, folder: Path) -> None:
    path = folder / "long.mp4"
    rate = ["-b:v", "200k", "-maxrate", "235k", "-bufsize", "470k", "-g", "60", "-preset", "ultrafast"]
    form = ["-profile:v", "main", "-pix_fmt", "yuv420p", "-movflags"]
    fragments = "frag_keyframe+default_base_moof+global_sidx+delay_moov+skip_trailer"
    source = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=15:d=60"]
    _run(lesson, *source, "-c:v", "libx264", *rate, *form, fragments, str(path))
    lesson.put("360p", path, "video/mp4", "avc1.4d401e")


def _start(lesson: Lesson, browser: Chromium, seen: str) -> _Start:
    page = browser.page()
    page.run_before_each_load(f"localStorage.setItem('token', '{lesson.token}'); {WATCHED}")
    viewer = Viewer(page)
    begun = time.monotonic()
    page.call("Page.navigate", {"url": lesson.url})
    wait_for(lambda: page.run("Boolean(document.querySelector('[name=mode]:checked'))"), pause=0.05)
    ready = time.monotonic()
    page.run(
        f"""window.times = {{}}; const start = performance.now();
        const note = (name, isNow) => {{ if (!times[name] && isNow) times[name] = performance.now() - start; }};
        document.getElementById('film').addEventListener('loadeddata', () => {{ window.hasPicture = true; }});
        setInterval(() => {{
          note('heard', document.getElementById('voice').currentTime > 0.05);
          note('seen', {seen});
        }}, 20);
        document.getElementById('start').click()"""
    )
    viewer.wait("times.heard && times.seen")
    heard, shown = page.run("[times.heard, times.seen]")
    return _Start(ready - begun, heard / 1000, shown / 1000)


@pytest.mark.parametrize(("name", "kbit"), [("board", 64), ("film", 250)])
def test_a_lesson_begins_soon(lesson: Lesson, chromium_program: str, tmp_path: Path, name: str, kbit: int) -> None:
    _put_sound(lesson, tmp_path)
    if name == "board":
        path = _long_replay(tmp_path / "long.json")
        lesson.put("replay", path, "application/json", encoding="gzip")
        seen = "document.getElementById('board').width > 300"
    else:
        _put_film(lesson, tmp_path)
        seen = "window.hasPicture"
    with thin_link(kbit * 1000) as link:
        browser = Chromium(chromium_program, tmp_path, "--autoplay-policy=no-user-gesture-required", *link.flags)
        try:
            start = _start(lesson, browser, seen)
        finally:
            browser.close()
    print(f"{name} at {kbit} kbit/s: {start}")  # noqa: T201 - figures for people
    assert start.heard < _MOST
    assert start.seen < _MOST
