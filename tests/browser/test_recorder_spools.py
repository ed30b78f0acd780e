"""`/recorder.js` where APIs have different spools: it sends to the one that has its upload, and keeps its address."""

from typing import NamedTuple

import pytest

from devstack.ports import free_port, retry_while_port_taken
from devstack.process import ChildProcess
from tests.browser.conftest import RecorderHarness
from tests.conftest import Processes, Sql

# What a proxy in front of the APIs does: it leads to `to` what creates an upload. `sent` has the addresses of
# requests for one upload.
_PROXY = """
const fetched = window.fetch;
window.sent = [];
window.fetch = async (address, options) => {
  const { origin, pathname } = new URL(address);
  const isCreation = options?.method === 'POST' && pathname === '/v1/uploads';
  if (pathname.startsWith('/v1/uploads/')) window.sent.push(origin);
  const response = await fetched(isCreation ? '%(to)s/v1/uploads' : address, options);
  if (isCreation && %(loses)s) throw new TypeError('the answer is lost');
  return response;
};
"""


class Machine(NamedTuple):
    """An API with a spool of its own, and its address."""

    url: str
    process: ChildProcess


@pytest.fixture
def other(harness: RecorderHarness, processes: Processes) -> Machine:
    """An API with another spool than that of the page's."""

    def begin() -> Machine:
        port = free_port()
        changes = {
            "spool_id": "addis-2",
            "spool_dir": harness.settings.spool_dir.with_name("addis-2"),
            "upload_base_url": f"http://127.0.0.1:{port}",
        }
        return Machine(*processes.api(harness.settings.model_copy(update=changes), port=port))

    return retry_while_port_taken(begin)


def _origins(harness: RecorderHarness) -> list[str]:
    return list(harness.run("sent"))


def test_it_sends_to_the_address_of_its_upload_and_so_does_the_next_page(
    harness: RecorderHarness, other: Machine, sql: Sql
) -> None:
    harness.open(before=_PROXY % {"to": other.url, "loses": "false"})
    harness.record()
    harness.wait("harness.recorder.state.storedBytes > 0")
    assert set(_origins(harness)) == {other.url}
    harness.kill_browser()
    harness.open_browser()
    harness.open(before=_PROXY % {"to": other.url, "loses": "false"})
    harness.take_up()
    harness.run("harness.recorder.send()")
    harness.wait("harness.recorder.state.phase === 'finished'")

    assert set(_origins(harness)) == {other.url}
    (row,) = sql("SELECT state, spool_id, base_url FROM uploads")
    assert row == ("finished", "addis-2", other.url)


def test_it_goes_where_a_421_leads_it(harness: RecorderHarness, other: Machine, sql: Sql) -> None:
    harness.open(before=_PROXY % {"to": other.url, "loses": "true"})
    harness.record()
    harness.wait("harness.recorder.state.storedBytes > 0")
    receipt = harness.finish()

    first, *later = _origins(harness)
    assert (first, set(later)) == (harness.api, {other.url})
    assert (receipt["state"], receipt["gaps"]) == ("finished", [])
    assert [row.spool_id for row in sql("SELECT spool_id FROM uploads")] == ["addis-2"]


def test_it_asks_the_api_of_the_page_when_that_address_does_not_answer(
    harness: RecorderHarness, other: Machine, processes: Processes, sql: Sql
) -> None:
    harness.open(before=_PROXY % {"to": other.url, "loses": "false"})
    harness.record()
    harness.wait("harness.recorder.state.storedBytes > 0")
    other.process.kill()
    # Its disk is in the machine of the page now.
    harness.process.kill()
    moved = {"spool_id": "addis-2", "spool_dir": harness.settings.spool_dir.with_name("addis-2")}
    processes.api(harness.settings.model_copy(update=moved), port=int(harness.api.rpartition(":")[2]))
    receipt = harness.finish()

    assert (receipt["state"], receipt["gaps"]) == ("finished", [])
    assert _origins(harness)[-1] == harness.api
    assert len(sql("SELECT id FROM uploads")) == 1
