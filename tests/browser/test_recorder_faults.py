"""`/recorder.js` under faults of the server, the device, the disk, the token, the microphone; beside another tab."""

import signal
from itertools import pairwise
from urllib.parse import urlsplit

from tests.browser.chromium import Page
from tests.browser.conftest import Studio, Watch, assert_as_painted, assert_whole
from tests.conftest import Processes, School, Sql
from worker.access.issue_token import issue_token


def test_a_restart_of_the_server_costs_nothing(studio: Studio, processes: Processes, watch: Watch) -> None:
    start = studio.record()
    studio.wait_for_seconds(3)
    studio.process.signal(signal.SIGKILL)
    studio.wait_for_seconds(8)
    assert studio.run("studio.recorder.state.waitingBytes") > 0
    processes.api(studio.settings, port=urlsplit(studio.api).port)
    receipt = studio.finish()
    film = watch(receipt["recording_id"])
    assert_whole(film, start, range(8))
    assert len(studio.get(f"/v1/uploads?session_id={studio.session}")["items"]) == 1


def test_a_recording_that_was_killed_before_anything_was_sent_is_sent_later(studio: Studio, watch: Watch) -> None:
    studio.page.cut()
    start = studio.record()
    studio.wait_for_seconds(5)
    studio.kill_browser()
    studio.open_browser()
    studio.open()
    studio.take_up()
    assert studio.run("studio.recorder.state.session") == studio.session
    studio.run("studio.recorder.send()")
    studio.wait("studio.recorder.state.phase === 'finished'")
    film = watch(studio.run("studio.recorder.state.receipt.recording_id"))
    assert_whole(film, start, range(3))


def test_a_session_that_was_unknown_when_the_browser_was_killed_is_found_by_the_next_page(studio: Studio) -> None:
    studio.record("{ label: 'a board', session: () => { throw new Error('not known yet'); } }")
    studio.wait_for_seconds(3)
    studio.kill_browser()
    studio.open_browser()
    studio.open()
    find = f"({{ label }}) => (label === 'a board' ? {studio.session} : null)"
    studio.run(f"studio.left({{ session: {find} }}).then(([first]) => (studio.recorder = first).send())")
    studio.wait("studio.recorder.state.phase === 'finished'")
    assert studio.run("studio.recorder.state.receipt.session_id") == studio.session


def test_a_device_that_slept_has_a_mark_and_no_hours_of_recording(studio: Studio, watch: Watch) -> None:
    studio.record()
    studio.wait_for_seconds(4)
    studio.browsers[-1].sleep(12)
    studio.wait_for_seconds(8)
    receipt = studio.finish()
    (sleep,) = receipt["gaps"]
    assert sleep["kind"] == "sleep"
    assert sleep["to_ms"] - sleep["from_ms"] >= 12_000
    assert watch(receipt["recording_id"]).duration < 12


def test_a_full_disk_is_reported_and_the_slices_are_sent_from_memory(studio: Studio, watch: Watch) -> None:
    studio.page.call("Storage.overrideQuotaForOrigin", {"origin": studio.origin, "quotaSize": 30_000})
    studio.record()
    studio.page.cut()
    studio.wait("studio.recorder.state.warnings.includes('disk-full')")
    studio.wait_for_seconds(12)
    assert studio.run("studio.recorder.state.memoryBytes") > 0
    studio.page.reconnect()
    film = watch(studio.finish()["recording_id"])
    assert film.duration >= 11
    assert_as_painted(film)


def test_after_an_expired_token_the_page_is_asked_for_another(studio: Studio) -> None:
    studio.record()
    studio.wait_for_seconds(3)
    expired = studio.token.rsplit(".", 1)[0] + ".AAAA"
    studio.run(f"localStorage.setItem('token', '{expired}')")
    studio.wait("studio.events.some(([name]) => name === 'token')")
    assert studio.run("studio.recorder.state.link") == "token"
    studio.run(f"localStorage.setItem('token', '{studio.token}'); studio.recorder.wake()")
    assert studio.finish()["state"] == "finished"


def test_the_token_of_another_person_sends_nothing(studio: Studio, school: School) -> None:
    other = issue_token(
        studio.settings.signing_key, sub=school.other_tutor.user_id, role="tutor", role_ids={"tutor": 14}
    )
    studio.record()
    studio.wait("studio.recorder.state.storedBytes > 0")
    studio.run(f"localStorage.setItem('token', '{other}')")
    studio.wait("studio.events.some(([name]) => name === 'token')")
    studio.open()
    studio.run(f"localStorage.setItem('token', '{other}')")
    assert studio.run("studio.left().then((left) => left.length)") == 0


def test_one_tab_owns_a_recording(studio: Studio) -> None:
    studio.record()
    studio.wait_for_seconds(3)
    other = Page(studio.browsers[-1])
    studio.open(other)
    assert other.run("studio.left().then((left) => left.length)") == 0
    studio.page.close()
    studio.wait("studio.left().then((left) => left.length === 1)", other)


def test_a_dead_microphone_and_an_ended_track_are_reported(studio: Studio) -> None:
    studio.record()
    studio.wait_for_seconds(2)
    studio.run("studio.tones.gain.disconnect()")
    # Not by `state`: who reads the level keeps the recorder listening.
    studio.wait("studio.events.some(([name, detail]) => name === 'warning' && detail.kind === 'silent')")
    # The event of a device that is gone.
    studio.run("studio.tones.track.dispatchEvent(new Event('ended'))")
    assert studio.run("studio.recorder.state.warnings") == ["silent", "ended"]
    studio.run("studio.recorder.start(studio.stream())")
    studio.wait("!studio.recorder.state.warnings.length")
    assert studio.finish()["state"] == "finished"


def test_all_marks_arrive_when_more_are_left_than_requests_with_bytes(studio: Studio, sql: Sql) -> None:
    studio.record()
    studio.wait("studio.recorder.state.storedBytes > 0")
    studio.run(
        "(async () => { for (let count = 0; count < 150; count += 1) { studio.recorder.pause();"
        " await new Promise((resolve) => setTimeout(resolve, 20)); await studio.recorder.resume(); } })()"
    )
    studio.wait("studio.recorder.state.waitingBytes === 0")
    # All of the pauses, and a gap for each slice, are sent again with the little that the device still holds.
    sql("UPDATE uploads SET state = 'terminated'")
    for file in studio.settings.spool_dir.glob("*.upload"):
        file.unlink()
    receipt = studio.finish()
    assert [mark["kind"] for mark in receipt["marks"]].count("pause") == 150
    assert sum(gap["to_ms"] - gap["from_ms"] for gap in receipt["gaps"]) == studio.run("studio.recorder.state.gapsMs")


def test_of_an_upload_that_is_gone_the_first_slice_and_what_was_not_acknowledged_are_sent_again(
    studio: Studio, sql: Sql, watch: Watch
) -> None:
    studio.record()
    studio.wait_for_seconds(7)
    studio.wait("studio.recorder.state.waitingBytes === 0")
    # As after the loss of the spool's disk.
    sql("UPDATE uploads SET state = 'terminated'")
    for file in studio.settings.spool_dir.glob("*.upload"):
        file.unlink()
    studio.wait_for_seconds(11)
    receipt = studio.finish()
    gaps = receipt["gaps"]
    assert {gap["kind"] for gap in gaps} == {"gap"}
    assert gaps[0]["from_ms"] > 0
    # Each slice that is missing has one.
    assert all(gap["to_ms"] == later["from_ms"] for gap, later in pairwise(gaps))
    assert len(sql("SELECT id FROM uploads")) == 2
    assert watch(receipt["recording_id"]).pictures
