"""`/v1/jobs` for people who ordered the jobs, for others and for operators."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from tests.api.conftest import ClientFor
from tests.conftest import School
from worker.access.callers import Operator
from worker.database import Database
from worker.jobs.actions import read_actions
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.recording_orders import IngestRecording
from worker.jobs.runs.claim import Claim, claim
from worker.jobs.runs.run_statements import end

EnqueueOrder = Callable[..., UUID]
BeginRun = Callable[[UUID], Claim]


@pytest.fixture
def order(database: Database) -> EnqueueOrder:
    """`order(recording_id, principal)`: the id of a job."""

    def enqueue_ingest(recording_id: int = 12, principal: str = "user:1") -> UUID:
        with database.transaction() as session:
            return enqueue(
                session,
                IngestRecording(recording_id, session_id=1, spool_id="shared", size_bytes=1),
                principal=principal,
            )

    return enqueue_ingest


@pytest.fixture
def run(database: Database) -> BeginRun:
    """`run(job_id)`: claim it, as a worker does."""

    def begin(job_id: UUID) -> Claim:
        with database.transaction() as session:
            claimed = claim(session, job_id, worker="w1", lease=30)
        assert claimed is not None
        return claimed

    return begin


def test_a_job_is_read_by_who_ordered_it_and_by_operators(
    school: School, client_for: ClientFor, operator: Operator, order: EnqueueOrder
) -> None:
    job_id = order()
    status, job = client_for(school.tutor).ask("GET", f"/v1/jobs/{job_id}")
    assert status == 200
    assert (job["id"], job["kind"], job["subject"]) == (str(job_id), "recordings.ingest", "recording:12")
    assert (job["state"], job["progress"], job["attempts"]) == ("queued", 0, [])
    assert client_for(operator).ask("GET", f"/v1/jobs/{job_id}") == (200, job)


@pytest.mark.parametrize(
    ("method", "end_of_path"), [("GET", ""), ("POST", "/cancel"), ("POST", "/retry"), ("GET", "/events")]
)
def test_for_others_it_does_not_exist(
    school: School, client_for: ClientFor, order: EnqueueOrder, method: str, end_of_path: str
) -> None:
    outsider = client_for(school.student)
    for job_id in (order(), uuid4(), "1", "not-a-uuid", "%00"):
        response = outsider.send(method, f"/v1/jobs/{job_id}{end_of_path}")
        assert (response.status_code, response.json()["code"]) == (404, "not-found"), job_id


def test_the_list_holds_one_s_own(
    school: School, client_for: ClientFor, operator: Operator, order: EnqueueOrder
) -> None:
    mine, theirs = order(12), order(13, "user:2")
    assert [item["id"] for item in client_for(school.tutor).ask("GET", "/v1/jobs")[1]["items"]] == [str(mine)]
    assert [item["id"] for item in client_for(school.student).ask("GET", "/v1/jobs")[1]["items"]] == [str(theirs)]
    everything = client_for(operator)
    assert [item["id"] for item in everything.ask("GET", "/v1/jobs")[1]["items"]] == [str(theirs), str(mine)]
    query = "/v1/jobs?state=queued&kind=recordings.ingest&subject=recording:12"
    assert [item["id"] for item in everything.ask("GET", query)[1]["items"]] == [str(mine)]


def test_pages_of_the_list(school: School, client_for: ClientFor, order: EnqueueOrder) -> None:
    job_ids = [str(order(number)) for number in range(5)]
    assert [page["id"] for page in client_for(school.tutor).pages("/v1/jobs", limit=2)] == job_ids[::-1]


@pytest.mark.parametrize(
    "query", ["state=odd", "limit=0", "limit=201", "cursor=x", "cursor=", "kind=%00", "subject=a%00"]
)
def test_odd_questions_are_refused(school: School, client_for: ClientFor, query: str) -> None:
    assert client_for(school.tutor).ask("GET", f"/v1/jobs?{query}")[0] == 422


def test_a_waiting_job_is_cancelled_at_once(school: School, client_for: ClientFor, order: EnqueueOrder) -> None:
    tutor, job_id = client_for(school.tutor), order()
    status, job = tutor.ask("POST", f"/v1/jobs/{job_id}/cancel")
    assert (status, job["state"], job["error"]["code"]) == (200, "cancelled", "cancelled")
    assert job["finished_at"] is not None
    assert tutor.ask("POST", f"/v1/jobs/{job_id}/cancel")[0] == 409


def test_a_running_job_is_asked_to_stop(
    school: School, client_for: ClientFor, order: EnqueueOrder, run: BeginRun
) -> None:
    job_id = order()
    run(job_id)
    response = client_for(school.tutor).send("POST", f"/v1/jobs/{job_id}/cancel")
    assert (response.status_code, response.json()["state"]) == (202, "running")
    assert response.headers["location"] == f"/v1/jobs/{job_id}"
    assert response.headers["retry-after"] == "2"


def test_a_job_that_failed_is_tried_again(
    school: School, client_for: ClientFor, operator: Operator, database: Database, order: EnqueueOrder, run: BeginRun
) -> None:
    job_id = order()
    assert client_for(school.tutor).ask("POST", f"/v1/jobs/{job_id}/retry")[0] == 409
    claimed = run(job_id)
    with database.transaction() as session:
        end(session, job_id, claimed.token, state="failed", error={"code": "media-rejected"})
    response = client_for(operator).send("POST", f"/v1/jobs/{job_id}/retry")
    assert (response.status_code, response.json()["state"]) == (202, "queued")
    assert (response.headers["location"], response.headers["retry-after"]) == (f"/v1/jobs/{job_id}", "2")
    with database.transaction() as session:
        actions = read_actions(session, job_id)
    assert [(each["action"], each["actor"]) for each in actions] == [("retry", operator.principal)]
    (attempt,) = client_for(school.tutor).ask("GET", f"/v1/jobs/{job_id}")[1]["attempts"]
    assert (attempt["attempt"], attempt["outcome"], attempt["error"]) == (1, "failed", {"code": "media-rejected"})
