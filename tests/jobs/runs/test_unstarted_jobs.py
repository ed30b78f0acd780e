"""Jobs that wait behind another of their message."""

from uuid import UUID, uuid4

from sqlalchemy.exc import OperationalError

from worker.jobs.runs.unstarted_jobs import UnstartedJobs


def never() -> bool:
    return False


def test_they_are_given_back_once_when_the_message_took_long() -> None:
    ids, back = [uuid4(), uuid4()], list[list[UUID]]()
    unstarted = UnstartedJobs(ids, give_back=back.append, stopping=never, seconds=-1)
    assert unstarted.peek() is None
    unstarted.heartbeat()
    unstarted.heartbeat()
    unstarted.end_heartbeat()
    assert back == [ids]


def test_they_are_given_back_when_the_worker_stops() -> None:
    stopping, back = [False], list[list[UUID]]()
    ids = [uuid4(), uuid4()]
    unstarted = UnstartedJobs(ids, give_back=back.append, stopping=lambda: stopping[0])
    unstarted.heartbeat()
    assert (unstarted.peek(), back) == (ids[0], [])
    unstarted.remove(ids[0])
    stopping[0] = True
    assert unstarted.peek() is None
    unstarted.heartbeat()
    assert back == [ids[1:]]


def test_a_job_that_was_given_back_may_be_claimed_all_the_same() -> None:
    (job_id,) = ids = [uuid4()]
    unstarted = UnstartedJobs(ids, give_back=lambda _ids: None, stopping=never)
    unstarted.end_heartbeat()
    unstarted.remove(job_id)
    assert unstarted.peek() is None


def test_an_outage_is_left_to_the_leases() -> None:
    def refuse(_ids: list[UUID]) -> None:
        raise OperationalError("UPDATE jobs", {}, OSError())

    UnstartedJobs([uuid4()], give_back=refuse, stopping=never).end_heartbeat()
