"""Kills while uploads are recorded: what `make chaos` does two hundred times, and with a browser."""

from devstack.directories import scratch_directory
from tests.chaos.harness.session import as_table
from tests.chaos.harness.uploads.browser import BrowserRecording
from tests.chaos.harness.uploads.clients import SentUpload
from tests.chaos.harness.uploads.kills import KILLS, OF_BROWSERS, make_upload_plan
from tests.chaos.harness.uploads.session import carry_out_kills
from tests.forking.forked_process import ForkServer
from tests.memory import memory_directory

# Of its first kills each is another one: all but those of the browser.
SEED = 5


def test_every_acknowledged_byte_survives_a_few_kills(fork_server: ForkServer) -> None:
    output: list[str] = []
    plan = make_upload_plan(SEED, kills=8, clients=3, with_browser=False, pause=(0.2, 0.8), abandoned_after=2)
    with scratch_directory(memory_directory()) as root:
        claims = carry_out_kills(plan, root, output.append, start=fork_server.start)
    assert all(line.holds for line in claims), "\n".join([*output, as_table(claims)])


def test_the_kills_follow_from_the_seed() -> None:
    plan = make_upload_plan(1, kills=200)
    assert plan == make_upload_plan(1, kills=200)
    assert plan != make_upload_plan(2, kills=200)
    assert len(plan.kills) == 200
    assert {kill.name for kill in plan.kills} == KILLS.keys()
    few = make_upload_plan(SEED, kills=8, with_browser=False)
    assert not OF_BROWSERS & {kill.name for kill in few.kills}


def test_an_offset_that_goes_back_is_a_violation() -> None:
    upload = SentUpload(bytes(100), 1, "whole")
    upload.acknowledge(50)
    assert upload.violations == []
    upload.acknowledge(40)
    upload.acknowledge(101)
    assert len(upload.violations) == 2


def test_the_slices_of_a_browser_are_those_of_its_journal() -> None:
    recording = BrowserRecording()
    recording.read(
        '\n{"facts": {"upload": null, "skipped": 0}}'
        '\n{"offset": 0, "length": 5, "sha256": "a", "from_ms": 0, "to_ms": 2000}'
        '\n{"facts": {"upload": "u", "skipped": 0}}\n{"stored": 5}\n{"mark": {"kind": "gap"}}\n{"offset": 5, "len'
    )
    assert recording == BrowserRecording({(0, 5): "a"}, skipped=0, stored=5)
