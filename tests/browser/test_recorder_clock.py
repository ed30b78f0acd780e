"""`/recorder.js` on a device whose clock is set while it records: after an empty clock battery it starts in 1970."""

import time
from datetime import datetime

import pytest

from tests.browser.conftest import RecorderHarness, Watch
from tests.conftest import Sql
from tests.waiting import wait_for

_HOUR = 3_600_000
# The device's clock, and the one of the browser, which counts a sleep on Windows only.
_SETTABLE_CLOCK = """window.moved = 0;
window.counted = 0;
const now = Date.now.bind(Date);
Date.now = () => now() + moved;
const since = performance.now.bind(performance);
performance.now = () => since() + counted;"""


@pytest.mark.parametrize("counted", [0, 7 * _HOUR], ids=["not counted", "counted"])
def test_a_device_that_slept_has_a_mark_and_no_hours_of_recording(
    harness: RecorderHarness, watch: Watch, counted: int
) -> None:
    harness.open(before=_SETTABLE_CLOCK)
    harness.record()
    harness.wait_for_seconds(4)
    harness.run(f"moved = {7 * _HOUR}; counted = {counted}")
    harness.wait("harness.recorder.state.gapsMs")
    length = harness.run("harness.recorder.state.recordedMs") / 1000
    harness.wait_for_seconds(length + 3)
    receipt = harness.finish()
    (sleep,) = receipt["gaps"]
    assert sleep["kind"] == "sleep"
    assert sleep["to_ms"] - sleep["from_ms"] >= 7 * _HOUR
    recorded = harness.run("harness.recorder.state.recordedMs") / 1000
    assert watch(receipt["recording_id"]).duration < recorded + 2


def test_what_is_encoded_while_a_dialog_blocks_the_page_is_kept(harness: RecorderHarness, watch: Watch) -> None:
    harness.record("{ type: 'board' }", "harness.stream({ picture: false })")
    harness.wait_for_seconds(3)
    harness.run("for (const end = Date.now() + 9000; Date.now() < end;); 0")
    harness.wait_for_seconds(13)
    receipt = harness.finish()
    assert receipt["gaps"] == []
    assert watch(receipt["recording_id"]).duration > 12


@pytest.mark.parametrize("moved", [6 * 366 * 24 * _HOUR, -_HOUR], ids=["forward", "back"])
def test_a_clock_that_is_set_is_no_gap(harness: RecorderHarness, moved: int) -> None:
    harness.open(before=_SETTABLE_CLOCK)
    harness.record()
    harness.wait_for_seconds(3)
    harness.run(f"moved = {moved}; harness.recorder.pause(); harness.recorder.resume()")
    recorded = harness.run("harness.recorder.state.recordedBytes")
    harness.wait(f"harness.recorder.state.recordedBytes > {recorded}")
    receipt = harness.finish()
    assert receipt["gaps"] == []
    assert all(0 <= mark["to_ms"] - mark["from_ms"] < _HOUR for mark in receipt["marks"])
    assert 0 < harness.run("harness.recorder.state.recordedMs") < _HOUR


def test_a_recording_that_began_in_1970_has_its_real_time(harness: RecorderHarness) -> None:
    harness.open(before=_SETTABLE_CLOCK)
    harness.page.cut()
    harness.run("moved = -Date.now()")
    harness.record()
    harness.wait_for_seconds(3)
    harness.run("moved = 0")
    harness.page.reconnect()
    receipt = harness.finish()
    assert receipt["gaps"] == []
    assert abs(datetime.fromisoformat(receipt["started_at"]).timestamp() - time.time()) < _HOUR / 1000


def test_the_next_uploads_of_a_recording_have_its_real_time(harness: RecorderHarness, sql: Sql) -> None:
    harness.open(before=_SETTABLE_CLOCK)
    harness.record()
    harness.wait("harness.recorder.state.storedBytes > 0")
    harness.run(f"moved = {-_HOUR}; harness.recorder.pause(); harness.recorder.resume()")
    begun = "SELECT started_at FROM uploads"
    harness.lose_spool(sql)
    wait_for(lambda: len(sql(begun)) == 2)
    harness.lose_spool(sql)
    wait_for(lambda: len(sql(begun)) == 3)
    first, _second, third = sorted(row.started_at for row in sql(begun))
    assert (third - first).total_seconds() < 1
