"""`/recorder.js` on a device whose clock is set while it records: after an empty clock battery it starts in 1970."""

import time
from datetime import datetime

import pytest

from tests.browser.conftest import RecorderHarness
from tests.conftest import Sql
from tests.waiting import wait_for

_HOUR = 3_600_000
_SETTABLE_CLOCK = """window.moved = 0;
const now = Date.now.bind(Date);
Date.now = () => now() + moved;"""


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


def test_the_next_upload_of_a_recording_has_its_real_time(harness: RecorderHarness, sql: Sql) -> None:
    harness.open(before=_SETTABLE_CLOCK)
    harness.record()
    harness.wait("harness.recorder.state.storedBytes > 0")
    harness.run(f"moved = {-_HOUR}; harness.recorder.pause(); harness.recorder.resume()")
    # As after the loss of the spool's disk.
    sql("UPDATE uploads SET state = 'terminated'")
    for file in harness.settings.spool_dir.glob("*.upload"):
        file.unlink()
    uploads = f"/v1/uploads?session_id={harness.session}"
    wait_for(lambda: len(harness.get(uploads)["items"]) == 2)
    first, second = (datetime.fromisoformat(upload["started_at"]) for upload in harness.get(uploads)["items"])
    assert abs(first - second).total_seconds() < 1
