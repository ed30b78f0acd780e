"""A browser that records one lesson after another and is killed meanwhile, and what was on its disk."""

import json
import queue
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.browser.chromium import Chromium
from tests.browser.recorder_harness import MEDIA_FLAGS
from tests.chaos.harness.uploads.kills import KINDS, Kill
from tests.chaos.harness.uploads.recording_thread import RecordingThread
from tests.waiting import wait_for

# Seconds of one lesson, kills included.
_LESSON = (25.0, 60.0)
_LOADS_WITHIN = 10.0
# A page that does not answer for so long has not survived the kill of another one: Chromium's fault, not ours.
_ANSWERS_WITHIN = 30.0
_LOOK_EVERY = 0.5
# The journals of all recordings on the browser's disk, by the recording's id (docs/recorder.md, What it survives).
_JOURNALS = """
(async () => {
  const journals = {};
  try {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('astegni-recordings');
    for await (const [id, folder] of root.entries()) {
      try {
        journals[id] = await (await (await folder.getFileHandle('journal')).getFile()).text();
      } catch { /* Just being made or removed. */ }
    }
  } catch { /* Nothing was recorded yet. */ }
  return journals;
})()
"""


@dataclass
class BrowserRecording:
    """What the journal on the browser's disk says of one recording."""

    # (offset, length) and SHA-256 in Base64.
    slices: dict[tuple[int, int], str] = field(default_factory=dict)
    # Bytes that are missing in the upload, and milliseconds that were not recorded.
    skipped: int = 0
    stored: int = 0

    def read(self, journal: str) -> None:
        """Add what a journal says; the last line may be torn."""
        for line in journal.split("\n"):
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if facts := entry.get("facts"):
                self.skipped = max(self.skipped, facts.get("skipped", 0))
            if "stored" in entry:
                self.stored = max(self.stored, entry["stored"])
            if "sha256" in entry:
                self.slices[entry["offset"], entry["length"]] = entry["sha256"]


class BrowserRecorder(RecordingThread):
    """Records in a thread of its own; `kill` is carried out between two looks at the page."""

    def __init__(
        self, program: str, home: Path, origin: str, token: str, sessions: Sequence[int], *, seed: int
    ) -> None:
        super().__init__()
        self.recordings: dict[str, BrowserRecording] = {}
        self.kills: list[Kill] = []
        # (kind, seconds until the page recorded or sent again).
        self.recoveries: list[tuple[str, float]] = []
        # What the last page found on the device.
        self.left = -1
        self._program = program
        self._home = home
        self._origin = origin
        self._token = token
        self._sessions = list(sessions)
        self._dice = random.Random(seed)
        self._queue: queue.Queue[Kill] = queue.Queue()
        self._ends_at = 0.0

    def kill(self, kill: Kill) -> None:
        """Kill the tab or the browser as soon as it is open."""
        self._queue.put(kill)

    def _record_all(self) -> None:
        """Also after `stop` the kills that are waiting are carried out."""
        self._home.mkdir(parents=True, exist_ok=True)
        self._browser = self._new_browser()
        try:
            self._open()
            self._record()
            while not (self._is_over and self._queue.empty() and self._phase() == "finished"):
                self._turn()
            self._open()
            self.left = self._run("harness.left().then((left) => left.length)")
        finally:
            self._browser.close()

    def _turn(self) -> None:
        try:
            kill = self._queue.get(timeout=_LOOK_EVERY)
        except queue.Empty:
            self._look()
        else:
            began = time.monotonic()
            self._carry_out(kill)
            self._open()
            self._note_journals()
            self._take_up()
            self.kills.append(kill)
            self.recoveries.append((KINDS[kill.name], time.monotonic() - began - kill.seconds))

    def _carry_out(self, kill: Kill) -> None:
        if kill.name == "tab":
            self._browser.kill_tab()
        else:
            self._browser.close()
            time.sleep(kill.seconds)
            self._browser = self._new_browser()

    def _look(self) -> None:
        self._note_journals()
        phase = self._phase()
        if phase == "finished" and not self._is_over:
            self._record()
        elif phase == "recording" and (self._is_over or time.monotonic() > self._ends_at):
            self._note(self._run(f"harness.recorder.stop().then(() => {_JOURNALS})"))

    def _record(self) -> None:
        self._ends_at = time.monotonic() + self._dice.uniform(*_LESSON)
        self._run(f"harness.record({{ session: {self._sessions.pop()}, type: 'screen' }})")

    def _take_up(self) -> None:
        """Go on with what the killed page has left, or send it; without any, begin another."""
        left = self._run(
            "harness.left().then(([first]) => {"
            " if (first) { harness.recorder = first; harness.watch(first); } return first ? first.state : null; })"
        )
        if left is None:
            self._record()
        elif left["isEnded"] or self._is_over or self._dice.random() < 0.3:
            self._run("harness.recorder.send()")
        else:
            self._run("harness.recorder.start(harness.stream())")

    def _open(self) -> None:
        """Open the page, again and again while the API does not give its module."""
        while True:
            page = self._browser.first_page
            try:
                page.open("about:blank")
                page.open(f"{self._origin}/")
                self._run(f"localStorage.setItem('token', '{self._token}')")
            except AssertionError:
                self._browser.close()
                self._browser = self._new_browser()
                continue
            with suppress(AssertionError):
                wait_for(lambda: self._run("Boolean(window.harness && window.Recorder)"), within=_LOADS_WITHIN)
                return

    def _phase(self) -> str:
        return str(self._run("harness.recorder.state.phase"))

    def _note_journals(self) -> None:
        self._note(self._run(_JOURNALS))

    def _note(self, journals: dict[str, str]) -> None:
        for recording_id, journal in journals.items():
            self.recordings.setdefault(recording_id, BrowserRecording()).read(journal)

    def _run(self, script: str) -> Any:
        return self._browser.first_page.run(script)

    def _new_browser(self) -> Chromium:
        return Chromium(self._program, self._home, *MEDIA_FLAGS, timeout=_ANSWERS_WITHIN)
