"""Two machines with spools of their own on one database and broker, and one of them is lost."""

from pathlib import Path

import pytest

from tests.chaos.harness.environment import Environment
from tests.chaos.harness.stored_files import spooled
from tests.chaos.harness.work import ChaosOrder
from tests.waiting import wait_for
from worker.cli.doctor.spools import check_spools
from worker.errors import Misconfigured

_AVAILABLE = "SELECT is_available, error FROM whiteboard_session_recordings WHERE id = %s"


def start_other_machine(environment: Environment) -> Path:
    """A worker that has another spool; returns that spool."""
    spool = environment.folder / "spool-2"
    environment.workers.start(SPOOL_ID="addis-2", SPOOL_DIR=str(spool))
    return spool


def test_work_of_a_lost_machine_is_named_holds_up_nobody_and_goes_on_when_its_disk_is_back(
    environment: Environment,
) -> None:
    start_other_machine(environment)
    environment.start_api()
    posted = environment.post_recording(environment.new_session()).json()
    environment.wait_until_finished([environment.submit(ChaosOrder(1, "go", 0.1))])

    job = environment.http.get(f"/v1/jobs/{posted['job_id']}").json()
    assert (job["state"] in {"queued", "published"}, job["attempt"]) == (True, 0)
    assert job["progress_note"] == "waiting: no worker consumes the queue media.shared"
    with pytest.raises(Misconfigured, match=r"^The spool shared has bytes .*\(recordings: 1, open uploads: 0\)"):
        check_spools(environment.settings)
    assert "no worker consumes its queue media.shared" in environment.http.get("/readyz").json()["checks"]["processes"]

    environment.workers.start()
    assert environment.wait_for(posted["job_id"], "succeeded")["attempt"] == 1
    wait_for(lambda: not spooled(environment), details=environment.workers.log)
    assert check_spools(environment.settings) == "no bytes wait in any"


def test_a_worker_with_the_name_of_a_lost_spool_ends_what_its_disk_had(environment: Environment) -> None:
    """The disk is lost for good: people are notified, and nothing waits for ever."""
    environment.start_api()
    posted = environment.post_recording(environment.new_session()).json()
    environment.workers.start(SPOOL_DIR=str(environment.folder / "empty"))
    job = environment.wait_for(posted["job_id"], "failed")
    assert job["error"]["code"] == "bytes-gone"
    ((row),) = environment.watchdog.ask(_AVAILABLE, posted["recording_id"])
    assert row["error"] is not None
