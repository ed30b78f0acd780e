"""The ledger's rules, on PostgreSQL: one claim, one end, every stale token refused."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import RFC_4122, UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.conftest import MakeSettings
from tests.jobs.conftest import Ledger, SampleOrder
from worker.database import Database
from worker.errors import Conflict, NotFound
from worker.jobs.job_message import JobMessage
from worker.jobs.prune import prune_idempotency_keys, prune_jobs, prune_routine_jobs
from worker.jobs.publish import PublicationLease, publish
from worker.jobs.reaper import reap
from worker.jobs.runs.cancel import cancel_job, retry_job
from worker.jobs.runs.failure_hooks import FailedJob
from worker.jobs.runs.retry import Decision
from worker.jobs.runs.run_statements import LeaseLost, end, heartbeat
from worker.jobs.runs.settle import release_runs, settle

LEASE = PublicationLease(20.0, 600.0)


def test_rollback_leaves_no_job(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    from worker.jobs.enqueue import enqueue

    with pytest.raises(RuntimeError), ledger.database.transaction() as session:
        enqueue(session, sample_order())
        raise RuntimeError("the caller's own trouble")
    assert ledger.count() == 0


def test_job_is_announced_after_the_commit_only(
    database_url: str, settings: MakeSettings, sample_order: type[SampleOrder]
) -> None:
    from worker.jobs.enqueue import enqueue

    announced: list[Any] = []
    database = Database(settings(database_url=database_url).sqlalchemy_url, announce=announced.append)
    with database.transaction() as session:
        with session.begin_nested():
            job_id = enqueue(session, sample_order())
        assert announced == []
    assert announced == [job_id]
    database.close()


def test_unique_key_finds_the_live_job_and_is_free_after_its_end(
    ledger: Ledger, sample_order: type[SampleOrder]
) -> None:
    first = ledger.order(sample_order(key="same"))
    assert ledger.order(sample_order(key="same")) == first
    run = ledger.claim(first)
    with ledger.database.transaction() as session:
        end(session, run.job_id, run.token, state="succeeded")
    assert ledger.order(sample_order(key="same")) != first


def test_unique_key_holds_under_a_storm(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    with ThreadPoolExecutor(10) as pool:
        ids = set(pool.map(lambda _n: ledger.order(sample_order(key="same")), range(60)))
    assert len(ids) == 1
    assert ledger.count() == 1


def test_one_of_many_claims_wins(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    job_id = ledger.order(sample_order())
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda n: ledger.try_claim(job_id, worker=f"w{n}"), range(24)))
    won = [claimed for claimed in claims if claimed]
    assert len(won) == 1
    assert ledger.job(job_id).run_token == won[0].token
    assert ledger.job(job_id).attempt == 1


def test_ids_and_tokens_rise_with_the_servers_time(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    def milliseconds() -> int:
        with ledger.database.transaction() as session:
            return int(session.scalars(text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")).one())

    before = milliseconds()
    claimed = ledger.claim(ledger.order(sample_order()))
    after = milliseconds()
    for value in (claimed.job_id, claimed.token):
        assert (value.version, value.variant) == (7, RFC_4122)
        assert before <= value.int >> 80 <= after


def test_claim_waits_for_run_at(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    job_id = ledger.order(sample_order(), run_at=datetime.now(UTC) + timedelta(hours=1))
    assert ledger.try_claim(job_id) is None


def test_no_job_waits_until_a_clock_that_was_set_back_has_caught_up(
    ledger: Ledger, sample_order: type[SampleOrder]
) -> None:
    def retry_later(job_id: UUID) -> None:
        run = ledger.claim(job_id)
        with ledger.database.transaction() as session:
            end(session, run.job_id, run.token, state="retryable", delay=3600.0)

    published = ledger.order(sample_order())
    assert publish(ledger.database, lambda _message: None, LEASE) == 1
    queued, failed = ledger.order(sample_order()), ledger.order(sample_order())
    retry_later(failed)
    assert reap(ledger.database, {}) == 0
    assert ledger.try_claim(failed) is None
    with ledger.database.transaction() as session:
        for column in ("created_at", "started_at", "run_at", "published_at", "lease_until"):
            session.execute(text(f"UPDATE jobs SET {column} = {column} + interval '1 h'"))  # noqa: S608

    assert reap(ledger.database, {}) == 1
    assert publish(ledger.database, lambda _message: None, LEASE) == 3
    for job_id in (published, queued, failed):
        retry_later(job_id)
    assert reap(ledger.database, {}) == 0
    assert publish(ledger.database, lambda _message: None, LEASE) == 0


def test_stale_token_writes_nothing(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    job_id = ledger.order(sample_order())
    zombie = ledger.claim(job_id)
    ledger.expire_lease(job_id)
    assert reap(ledger.database, {}) == 1
    successor = ledger.claim(job_id, worker="w2")
    with pytest.raises(LeaseLost), ledger.database.transaction() as session:
        session.execute(text("INSERT INTO users (first_name, email) VALUES ('Zombie', 'z@example.com')"))
        end(session, zombie.job_id, zombie.token, state="succeeded", result={"by": "zombie"})
    with pytest.raises(LeaseLost), ledger.database.transaction() as session:
        heartbeat(session, zombie, lease=30.0, progress=99, note=None)
    job = ledger.job(job_id)
    assert (job.state, job.run_token, job.progress) == ("running", successor.token, 0)
    with ledger.database.transaction() as session:
        assert session.execute(text("SELECT count(*) FROM users")).scalar_one() == 0


def test_pulse_moves_the_sequence_only_when_something_changed(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    run = ledger.claim(ledger.order(sample_order()))
    numbers = []
    for progress in (0, 40, 40):
        with ledger.database.transaction() as session:
            assert heartbeat(session, run, lease=30.0, progress=progress, note=None) is False
        numbers.append(ledger.job(run.job_id).progress_seq)
    assert numbers == [1, 2, 2]


def test_history_has_one_line_for_each_run(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    job_id = ledger.order(sample_order())
    run = ledger.claim(job_id)
    with ledger.database.transaction() as session:
        end(session, run.job_id, run.token, state="retryable", delay=0.0, error={"code": "dropped-stitch"})
    ledger.claim(job_id, worker="w2")
    ledger.expire_lease(job_id)
    reap(ledger.database, {})
    run = ledger.claim(job_id, worker="w3")
    with ledger.database.transaction() as session:
        end(session, run.job_id, run.token, state="succeeded", result={"rows": 1})
    lines = [(line.attempt, line.worker, line.outcome) for line in ledger.attempts(job_id)]
    assert lines == [(1, "w1", "retryable"), (2, "w2", "worker-lost"), (3, "w3", "succeeded")]
    job = ledger.job(job_id)
    assert (job.state, job.progress, job.result, job.error) == ("succeeded", 100, {"rows": 1}, None)


def test_dead_keeps_the_last_real_error(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    job_id = ledger.order(sample_order())
    for _attempt in range(2):
        run = ledger.claim(job_id)
        with ledger.database.transaction() as session:
            end(session, run.job_id, run.token, state="retryable", error={"code": "dropped-stitch"})
    ledger.claim(job_id)
    ledger.expire_lease(job_id)
    reap(ledger.database, {})
    job = ledger.job(job_id)
    assert (job.state, job.attempt, job.error) == ("dead", 3, {"code": "dropped-stitch"})
    assert ledger.attempts(job_id)[-1].outcome == "worker-lost"


def test_poison_is_dead_after_exactly_its_attempts(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    job_id = ledger.order(sample_order())
    runs = 0
    while ledger.try_claim(job_id):
        runs += 1
        ledger.expire_lease(job_id)
        reap(ledger.database, {})
    assert runs == sample_order.max_attempts
    assert (ledger.job(job_id).state, ledger.job(job_id).error["code"]) == ("dead", "worker-lost")


def test_sealing_outlives_workers_that_are_lost(ledger: Ledger) -> None:
    from worker.jobs.orders.routine_orders import SealUploads

    job_id = ledger.order(SealUploads("shared"))
    for _worker in range(4):
        assert ledger.try_claim(job_id)
        ledger.expire_lease(job_id)
        reap(ledger.database, {})
    assert ledger.job(job_id).state == "retryable"


def test_reaper_puts_a_published_job_back_without_an_error(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    job_id = ledger.order(sample_order())
    publish(ledger.database, lambda _message: None, LEASE)
    ledger.expire_lease(job_id)
    assert reap(ledger.database, {}) == 1
    job = ledger.job(job_id)
    assert (job.state, job.attempt, job.error, job.publications) == ("queued", 0, None, 1)


def test_the_wait_for_a_published_job_doubles_from_the_third_on_up_to_its_ceiling(
    ledger: Ledger, sample_order: type[SampleOrder]
) -> None:
    job_id = ledger.order(sample_order())
    leases = []
    for _ in range(8):
        assert publish(ledger.database, lambda _message: None, LEASE) == 1
        job = ledger.job(job_id)
        leases.append((job.lease_until - job.published_at).total_seconds())
        ledger.expire_lease(job_id)
        assert reap(ledger.database, {}) == 1
    assert leases == pytest.approx([20, 20, 40, 80, 160, 320, 600, 600])


def test_reaper_leaves_a_live_lease_alone(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    job_id = ledger.order(sample_order())
    ledger.claim(job_id)
    assert reap(ledger.database, {}) == 0
    assert ledger.job(job_id).state == "running"


def test_cancelled_while_its_worker_died_ends_cancelled(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    job_id = ledger.order(sample_order())
    ledger.claim(job_id)
    with ledger.database.transaction() as session:
        assert cancel_job(session, {}, job_id) == "running"
    ledger.expire_lease(job_id)
    reap(ledger.database, {})
    assert (ledger.job(job_id).state, ledger.job(job_id).error["code"]) == ("cancelled", "cancelled")


def test_ending_commits_with_the_end(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    failed_jobs: list[FailedJob] = []

    def ending(session: Session, order: Any, ended: FailedJob) -> None:
        failed_jobs.append(ended)
        session.execute(
            text("INSERT INTO users (first_name, email) VALUES (:name, 'k@example.com')"),
            {"name": f"rows {order.rows}"},
        )

    job_id = ledger.order(sample_order(rows=7))
    with ledger.database.transaction() as session:
        assert cancel_job(session, {sample_order: ending}, job_id) == "cancelled"
    assert [(ended.job_id, ended.state) for ended in failed_jobs] == [(job_id, "cancelled")]
    with ledger.database.transaction() as session:
        assert session.execute(text("SELECT first_name FROM users")).scalars().all() == ["rows 7"]


def test_failing_ending_does_not_hold_up_other_jobs(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    def ending(_session: Session, order: Any, _ended: FailedJob) -> None:
        if order.rows == 13:
            raise RuntimeError("bad luck")

    ids = [ledger.order(sample_order(rows=rows)) for rows in (13, 1)]
    for job_id in ids:
        with ledger.database.transaction() as session:
            session.execute(text("UPDATE jobs SET max_attempts = 1 WHERE id = :id"), {"id": job_id})
        ledger.claim(job_id)
        ledger.expire_lease(job_id)
    reap(ledger.database, {sample_order: ending})
    assert [ledger.job(job_id).state for job_id in ids] == ["running", "dead"]


def test_cancel_of_a_finished_job_is_a_conflict(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    run = ledger.claim(ledger.order(sample_order()))
    with ledger.database.transaction() as session:
        end(session, run.job_id, run.token, state="succeeded")
    with pytest.raises(Conflict), ledger.database.transaction() as session:
        cancel_job(session, {}, run.job_id)
    with pytest.raises(NotFound), ledger.database.transaction() as session:
        cancel_job(session, {}, run.token)


def test_retry_revives_a_dead_job_with_fresh_attempts(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    job_id = ledger.order(sample_order())
    for _attempt in range(3):
        ledger.claim(job_id)
        ledger.expire_lease(job_id)
        reap(ledger.database, {})
    with ledger.database.transaction() as session:
        retry_job(session, job_id)
    job = ledger.job(job_id)
    assert (job.state, job.attempt, job.max_attempts, job.error) == ("queued", 3, 6, None)
    assert ledger.claim(job_id).attempt == 4
    with pytest.raises(Conflict), ledger.database.transaction() as session:
        retry_job(session, job_id)


def test_retry_gives_way_to_a_live_twin(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    first = ledger.order(sample_order(key="same"))
    with ledger.database.transaction() as session:
        cancel_job(session, {}, first)
    ledger.order(sample_order(key="same"))
    with pytest.raises(Conflict), ledger.database.transaction() as session:
        retry_job(session, first)
    assert ledger.job(first).state == "cancelled"


def test_broker_failure_puts_the_unsent_back_at_once(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    ids = [ledger.order(sample_order(rows=n)) for n in range(40)]  # in three messages
    sent: list[JobMessage] = []

    def send(message: JobMessage) -> None:
        if sent:
            raise ConnectionError("the broker is away")
        sent.append(message)

    with pytest.raises(ConnectionError):
        publish(ledger.database, send, LEASE)
    rows = {job_id: ledger.job(job_id) for job_id in ids}
    assert {job_id for job_id, row in rows.items() if row.state == "published"} == {*sent[0].job_ids}
    unsent = [row for row in rows.values() if row.state == "queued"]
    assert len(unsent) == 40 - len(sent[0].job_ids)
    assert {row.publications for row in unsent} == {0}
    # Only the refused message is moved back; the others may go at once.
    assert 0 < len([row for row in unsent if row.publish_at is not None]) < len(unsent)


def test_two_publishers_never_take_the_same_job(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    for rows in range(60):
        ledger.order(sample_order(rows=rows))
    sent: list[JobMessage] = []
    lock = threading.Lock()

    def send(message: JobMessage) -> None:
        with lock:
            sent.append(message)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _n: publish(ledger.database, send, LEASE, most=10), range(8)))
    published = [job_id for message in sent for job_id in message.job_ids]
    assert len(published) == len(set(published)) == 60


def test_release_gives_the_attempt_back(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    mine, others = ledger.order(sample_order()), ledger.order(sample_order())
    ledger.claim(mine, worker="closing")
    ledger.claim(others, worker="staying")
    assert release_runs(ledger.database, {}, "closing") == 1
    assert (ledger.job(mine).state, ledger.job(mine).attempt) == ("queued", 0)
    assert [line.outcome for line in ledger.attempts(mine)] == ["released"]
    assert ledger.job(others).state == "running"


def test_settle_with_a_stale_token_tells_no_ending(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    failed_jobs: list[FailedJob] = []
    job_id = ledger.order(sample_order())
    ledger.claim(job_id)
    job = ledger.job(job_id)
    ledger.expire_lease(job_id)
    reap(ledger.database, {})
    with pytest.raises(LeaseLost), ledger.database.transaction() as session:
        settle(
            session,
            {sample_order: lambda _s, _o, ended: failed_jobs.append(ended)},
            job,
            Decision("failed"),
            {"code": "late"},
        )
    assert failed_jobs == []


def test_prune_keeps_the_dead_longer(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    ids = {}
    for state in ("succeeded", "dead"):
        run = ledger.claim(ledger.order(sample_order()))
        with ledger.database.transaction() as session:
            end(session, run.job_id, run.token, state=state)
            session.execute(
                text("UPDATE jobs SET finished_at = now() - interval '10 days' WHERE id = :id"), {"id": run.job_id}
            )
        ids[state] = run.job_id
    live = ledger.order(sample_order())
    with ledger.database.transaction() as session:
        assert prune_routine_jobs(session, age=86400, most=10) == 0
        assert prune_jobs(session, finished=5 * 86400, dead=20 * 86400, most=10) == 1
    assert ledger.count() == 2
    assert ledger.attempts(ids["succeeded"]) == []
    assert ledger.job(live).state == "queued"
    with ledger.database.transaction() as session:
        assert prune_idempotency_keys(session, age=60, most=10) == 0


def test_prune_forgets_the_timetable_s_successes_sooner(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    for state in ("succeeded", "failed"):
        run = ledger.claim(ledger.order(sample_order()))
        with ledger.database.transaction() as session:
            end(session, run.job_id, run.token, state=state)
            session.execute(text("UPDATE jobs SET finished_at = now() - interval '2 days', principal = 'beat'"))
    with ledger.database.transaction() as session:
        assert prune_routine_jobs(session, age=3 * 86400, most=10) == 0
        assert prune_routine_jobs(session, age=86400, most=10) == 1
        assert session.scalars(text("SELECT state FROM jobs")).all() == ["failed"]
