"""`/recorder.js` under faults of the server, the device, the disk, the token, the microphone; beside another tab."""

import signal
from itertools import pairwise
from urllib.parse import urlsplit

from tests.browser.chromium import Page
from tests.browser.conftest import RecorderHarness, Watch, assert_as_painted, assert_whole
from tests.conftest import Processes, School, Sql
from worker.access.issue_token import issue_token

# The clock of the server is that of the device, to the millisecond.
_SAME_TIME = """
const fetched = window.fetch;
window.fetch = async (address, options) => {
  if (!String(address).endsWith('/v1/time')) return fetched(address, options);
  return new Response(JSON.stringify({ now: new Date(Date.now()).toISOString() }));
};"""
_PAIR = """(() => {
const token = () => localStorage.getItem('token');
const screen = new Recorder({ session: %(session)d, type: 'screen', token });
const session = () => { if (screen.state.storedBytes) return %(session)d; throw new Error('not yet'); };
window.pair = [screen, new Recorder({ session, type: 'video', token })];
const [now, moment] = [Date.now, Date.now()];
Date.now = () => moment;
for (const recorder of pair) recorder.start(harness.stream());
Date.now = now;
})()"""


def test_a_restart_of_the_server_costs_nothing(harness: RecorderHarness, processes: Processes, watch: Watch) -> None:
    start = harness.record()
    harness.wait_for_seconds(3)
    harness.process.signal(signal.SIGKILL)
    harness.wait_for_seconds(8)
    assert harness.run("harness.recorder.state.waitingBytes") > 0
    processes.api(harness.settings, port=urlsplit(harness.api).port)
    receipt = harness.finish()
    film = watch(receipt["recording_id"])
    assert_whole(film, start, range(8))
    assert len(harness.get(f"/v1/uploads?session_id={harness.session}")["items"]) == 1


def test_a_recording_that_was_killed_before_anything_was_sent_is_sent_later(
    harness: RecorderHarness, watch: Watch
) -> None:
    harness.page.cut()
    start = harness.record()
    harness.wait_for_seconds(5)
    harness.kill_browser()
    harness.open_browser()
    harness.open()
    harness.take_up()
    assert harness.run("harness.recorder.state.session") == harness.session
    harness.run("harness.recorder.send()")
    harness.wait("harness.recorder.state.phase === 'finished'")
    film = watch(harness.run("harness.recorder.state.receipt.recording_id"))
    assert_whole(film, start, range(3))


def test_a_session_that_was_unknown_when_the_browser_was_killed_is_found_by_the_next_page(
    harness: RecorderHarness,
) -> None:
    harness.record("{ label: 'a board', session: () => { throw new Error('not known yet'); } }")
    harness.wait_for_seconds(3)
    harness.kill_browser()
    harness.open_browser()
    harness.open()
    find = f"({{ label }}) => (label === 'a board' ? {harness.session} : null)"
    harness.run(f"harness.left({{ session: {find} }}).then(([first]) => (harness.recorder = first).send())")
    harness.wait("harness.recorder.state.phase === 'finished'")
    assert harness.run("harness.recorder.state.receipt.session_id") == harness.session


def test_a_full_disk_is_reported_and_the_slices_are_sent_from_memory(harness: RecorderHarness, watch: Watch) -> None:
    harness.page.call("Storage.overrideQuotaForOrigin", {"origin": harness.origin, "quotaSize": 30_000})
    harness.record()
    harness.page.cut()
    harness.wait("harness.recorder.state.warnings.includes('disk-full')")
    harness.wait_for_seconds(12)
    assert harness.run("harness.recorder.state.memoryBytes") > 0
    harness.page.reconnect()
    film = watch(harness.finish()["recording_id"])
    assert film.duration >= 11
    assert_as_painted(film)


def test_after_an_expired_token_the_page_is_asked_for_another(harness: RecorderHarness) -> None:
    harness.record()
    harness.wait_for_seconds(3)
    expired = harness.token.rsplit(".", 1)[0] + ".AAAA"
    harness.run(f"localStorage.setItem('token', '{expired}')")
    harness.wait("harness.events.some(([name]) => name === 'token')")
    assert harness.run("harness.recorder.state.link") == "token"
    harness.run(f"localStorage.setItem('token', '{harness.token}'); harness.recorder.wake()")
    assert harness.finish()["state"] == "finished"


def test_the_token_of_another_person_sends_nothing(harness: RecorderHarness, school: School) -> None:
    other = issue_token(
        harness.settings.signing_key, sub=school.other_tutor.user_id, role="tutor", role_ids={"tutor": 14}
    )
    harness.record()
    harness.wait("harness.recorder.state.storedBytes > 0")
    harness.run(f"localStorage.setItem('token', '{other}')")
    harness.wait("harness.events.some(([name]) => name === 'token')")
    harness.open()
    harness.run(f"localStorage.setItem('token', '{other}')")
    assert harness.run("harness.left().then((left) => left.length)") == 0


def test_one_tab_owns_a_recording(harness: RecorderHarness) -> None:
    harness.record()
    harness.wait_for_seconds(3)
    other = Page(harness.browsers[-1])
    harness.open(other)
    assert other.run("harness.left().then((left) => left.length)") == 0
    harness.page.close()
    harness.wait("harness.left().then((left) => left.length === 1)", other)


def test_two_recordings_of_one_moment_are_two_uploads(harness: RecorderHarness, sql: Sql) -> None:
    harness.open(before=_SAME_TIME)
    harness.run(_PAIR % {"session": harness.session})
    harness.wait("pair.every((recorder) => recorder.state.storedBytes)")
    harness.run("pair.forEach((recorder) => recorder.stop())")
    harness.wait("pair.every((recorder) => recorder.state.phase === 'finished')")
    rows = sql("SELECT recording_type, state FROM uploads ORDER BY 1")
    assert [tuple(row) for row in rows] == [("screen", "finished"), ("video", "finished")]


def test_a_dead_microphone_and_an_ended_track_are_reported(harness: RecorderHarness) -> None:
    harness.record()
    harness.wait_for_seconds(2)
    harness.run("harness.tones.gain.disconnect()")
    # Not by `state`: who reads the level keeps the recorder listening.
    harness.wait("harness.events.some(([name, detail]) => name === 'warning' && detail.kind === 'silent')")
    # The event of a device that is gone.
    harness.run("harness.tones.track.dispatchEvent(new Event('ended'))")
    assert harness.run("harness.recorder.state.warnings") == ["silent", "ended"]
    harness.run("harness.recorder.start(harness.stream())")
    harness.wait("!harness.recorder.state.warnings.length && harness.recorder.state.level !== null")
    # After the end a silent microphone is no warning, however long a slow link takes.
    harness.page.cut()
    harness.run("harness.recorder.stop()")
    assert harness.run("[harness.recorder.state.phase, harness.recorder.state.level]") == ["sending", None]
    harness.page.reconnect()
    harness.wait("harness.recorder.state.phase === 'finished'")


def test_all_marks_arrive_when_more_are_left_than_requests_with_bytes(harness: RecorderHarness, sql: Sql) -> None:
    harness.record()
    harness.wait("harness.recorder.state.storedBytes > 0")
    harness.run(
        "(async () => { for (let count = 0; count < 150; count += 1) { harness.recorder.pause();"
        " await new Promise((resolve) => setTimeout(resolve, 20)); await harness.recorder.resume(); } })()"
    )
    harness.wait("harness.recorder.state.waitingBytes === 0")
    # All of the pauses, and a gap for each slice, are sent again with the little that the device still holds.
    harness.lose_spool(sql)
    receipt = harness.finish()
    assert [mark["kind"] for mark in receipt["marks"]].count("pause") == 150
    assert sum(gap["to_ms"] - gap["from_ms"] for gap in receipt["gaps"]) == harness.run("harness.recorder.state.gapsMs")


def test_of_an_upload_that_is_gone_the_first_slice_and_what_was_not_acknowledged_are_sent_again(
    harness: RecorderHarness, sql: Sql, watch: Watch
) -> None:
    harness.record()
    harness.wait_for_seconds(7)
    harness.wait("harness.recorder.state.waitingBytes === 0")
    harness.lose_spool(sql)
    harness.wait_for_seconds(11)
    receipt = harness.finish()
    gaps = receipt["gaps"]
    assert {gap["kind"] for gap in gaps} == {"gap"}
    assert gaps[0]["from_ms"] > 0
    # Each slice that is missing has one.
    assert all(gap["to_ms"] == later["from_ms"] for gap, later in pairwise(gaps))
    assert len(sql("SELECT id FROM uploads")) == 2
    assert watch(receipt["recording_id"]).pictures
