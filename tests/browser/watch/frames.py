"""What each frame of a playing page shows, and the sound's time that is read in the same frame.

Both are read by one script of one frame, so that a slow machine shows fewer frames and no larger differences.
"""

from dataclasses import dataclass
from typing import Any

from tests.browser.chromium import Page
from tests.browser.watch.lesson import CAP, LEFT, RIGHT, RULER, SECONDS

_WATCH = f"""(() => {{
  const [board, film, voice] = ['board', 'film', 'voice'].map((id) => document.getElementById(id));
  const drawn = () => {{
    const {{ width, height }} = board;
    const row = board.getContext('2d').getImageData(0, Math.round(height * {RULER}), width, 1).data;
    let end = width - 1;
    while (end >= 0 && row[4 * end] + row[4 * end + 1] + row[4 * end + 2] >= 500) end -= 1;
    return ((end + 1) / width - {CAP} - {LEFT}) / {RIGHT - LEFT} * {SECONDS};
  }};
  window.watchedFrames = [];
  const read = () => {{
    requestAnimationFrame(read);
    const heard = voice.currentTime;
    const isMoving = !voice.paused && !voice.seeking && voice.readyState >= 3;
    const picture = board.checkVisibility() ? drawn() : film.currentTime;
    watchedFrames.push([heard, picture, voice.playbackRate, isMoving]);
  }};
  requestAnimationFrame(read);
}})()"""


@dataclass(frozen=True)
class Frame:
    """Seconds of the lesson that are heard and shown in one frame."""

    heard: float
    shown: float
    rate: float
    is_moving: bool

    @property
    def late(self) -> float:
        return self.heard - self.shown


def watch_frames(page: Page) -> None:
    """Begin to note each frame of this page."""
    page.run(_WATCH)


def take_frames(page: Page) -> list[Frame]:
    """The frames since the last call in which the sound moves."""
    frames: list[Any] = page.run("window.watchedFrames.splice(0)")
    return [frame for values in frames if (frame := Frame(*values)).is_moving]
