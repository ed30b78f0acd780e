"""`/recorder.js` on a device whose clock is set while it records: after an empty clock battery it starts in 1970."""

import time
from datetime import datetime

import pytest

from tests.browser.conftest import Studio
from tests.conftest import Sql
from tests.waiting import wait_for

_HOUR = 3_600_000
_SETTABLE_CLOCK = """window.moved = 0;
const now = Date.now.bind(Date);
Date.now = () => now() + moved;"""


@pytest.mark.parametrize("moved", [6 * 366 * 24 * _HOUR, -_HOUR], ids=["forward", "back"])
def test_a_clock_that_is_set_is_no_gap(studio: Studio, moved: int) -> None:
    studio.open(before=_SETTABLE_CLOCK)
    studio.record()
    studio.wait_for_seconds(3)
    studio.run(f"moved = {moved}; studio.recorder.pause(); studio.recorder.resume()")
    recorded = studio.run("studio.recorder.state.recordedBytes")
    studio.wait(f"studio.recorder.state.recordedBytes > {recorded}")
    receipt = studio.finish()
    assert receipt["gaps"] == []
    assert all(0 <= mark["to_ms"] - mark["from_ms"] < _HOUR for mark in receipt["marks"])
    assert 0 < studio.run("studio.recorder.state.recordedMs") < _HOUR


def test_a_recording_that_began_in_1970_has_its_real_time(studio: Studio) -> None:
    studio.open(before=_SETTABLE_CLOCK)
    studio.page.cut()
    studio.run("moved = -Date.now()")
    studio.record()
    studio.wait_for_seconds(3)
    studio.run("moved = 0")
    studio.page.reconnect()
    receipt = studio.finish()
    assert receipt["gaps"] == []
    assert abs(datetime.fromisoformat(receipt["started_at"]).timestamp() - time.time()) < _HOUR / 1000


def test_the_next_upload_of_a_recording_has_its_real_time(studio: Studio, sql: Sql) -> None:
    studio.open(before=_SETTABLE_CLOCK)
    studio.record()
    studio.wait("studio.recorder.state.storedBytes > 0")
    studio.run(f"moved = {-_HOUR}; studio.recorder.pause(); studio.recorder.resume()")
    # As after the loss of the spool's disk.
    sql("UPDATE uploads SET state = 'terminated'")
    for file in studio.settings.spool_dir.glob("*.upload"):
        file.unlink()
    uploads = f"/v1/uploads?session_id={studio.session}"
    wait_for(lambda: len(studio.get(uploads)["items"]) == 2)
    first, second = (datetime.fromisoformat(upload["started_at"]) for upload in studio.get(uploads)["items"])
    assert abs(first - second).total_seconds() < 1
