"""Strokes of both sides and the tutor's voice in one film, although the student's clock is wrong."""

from pathlib import Path
from typing import Any

import httpx2

from tests.browser.film import read_film
from tests.conftest import Processes, Sql
from tests.script_tag.conftest import TUTOR, Lesson
from tests.waiting import wait_for
from worker.media.processes.binaries import find_binaries

# What the device of the student is ahead, and `trueTime()`, what it would be else.
_WRONG_CLOCK = """
window.trueTime = Date.now.bind(Date);
Date = class extends Date {
  constructor(...values) { if (values.length) super(...values); else super(trueTime() + 7000); }
  static now() { return trueTime() + 7000; }
};
"""
_RIGHT_CLOCK = "window.trueTime = Date.now.bind(Date);"
# When the pen went up on this page, of each stroke.
_NOTE_STROKES = "window.penUps = []; addEventListener('mouseup', () => penUps.push(trueTime()), true); 0"
_SPEAK = """astegni.recorder({ type: 'board' }).then((recorder) => {
  const sound = new AudioContext();
  const gain = new GainNode(sound, { gain: 0 });
  const tone = new OscillatorNode(sound, { frequency: 880 });
  const voice = sound.createMediaStreamDestination();
  tone.connect(gain).connect(voice);
  tone.start();
  window.beep = () => {
    gain.gain.setValueAtTime(0.5, sound.currentTime);
    gain.gain.setValueAtTime(0, sound.currentTime + 0.4);
    return trueTime();
  };
  window.recorder = recorder;
  return recorder.start(voice.stream);
})"""
_FILM = (
    "SELECT id FROM whiteboard_session_recordings WHERE recording_metadata->>'origin' = 'voice-film' AND is_available"
)
# Milliseconds that strokes may be apart from the voice.
_TUTOR, _STUDENT = 200, 500


def test_strokes_of_both_sides_are_seen_when_they_were_spoken_about(
    lesson: Lesson, processes: Processes, sql: Sql, tmp_path: Path
) -> None:
    processes.worker(lesson.settings)
    theirs, ours = lesson.browser.page(), lesson.browser.page()
    theirs.run_before_each_load(_WRONG_CLOCK)
    ours.run_before_each_load(_RIGHT_CLOCK)
    tutor, student = lesson.tutor(page=ours), lesson.student(page=theirs)
    lesson.call(tutor, student)
    tutor.press("#toggleAllInteraction")
    assert student.run("Date.now() - trueTime()") == 7000
    for page in (tutor, student):
        page.run(_NOTE_STROKES)
    tutor.run(_SPEAK)
    tutor.wait("recorder.state.recordedMs > 3000", "recorder.state")
    beeps = []
    for side, number in ((tutor, 2), (student, 4), (student, 6)):
        beeps.append(tutor.run("beep()"))
        side.draw((20, 20 * number), (60, 20 * number))
        tutor.run("new Promise((resolve) => { setTimeout(resolve, 1500); })")
    ups = [tutor.run("penUps[0]"), *student.run("penUps.slice(0, 2)")]
    for side in (tutor, student):
        side.send()
    tutor.run("recorder.stop()")
    tutor.wait("recorder.state.phase === 'finished'", "recorder.state")
    film, replay = _film(lesson, processes, sql, tmp_path)

    assert len(film.onsets) == len(beeps)
    ends = [stroke["end"] for stroke in replay["strokes"]]
    expected = [onset * 1000 + up - beep for onset, beep, up in zip(film.onsets, beeps, ups, strict=True)]
    apart = [abs(end - at) for end, at in zip(ends, expected, strict=True)]
    assert apart[0] < _TUTOR, apart
    assert max(apart[1:]) < _STUDENT, apart
    assert (tutor.errors, student.errors) == ([], [])


def _film(lesson: Lesson, processes: Processes, sql: Sql, folder: Path) -> tuple[Any, Any]:
    """The film that the end of the voice has ordered, and its replay.json."""
    (recording,) = wait_for(lambda: sql(_FILM), details=lambda: (sql("SELECT * FROM jobs"), processes.logs()[-3000:]))
    headers = {"Authorization": f"Bearer {lesson.platform.token(TUTOR)}"}
    playback = httpx2.get(f"{lesson.api}/v1/recordings/{recording.id}/playback", headers=headers).json()
    urls = {rendition["name"]: rendition["url"] for rendition in playback["renditions"]}
    file = folder / "film.mp4"
    file.write_bytes(httpx2.get(urls["playback"]).content)
    return read_film(find_binaries(lesson.settings), file), httpx2.get(urls["replay"]).json()
