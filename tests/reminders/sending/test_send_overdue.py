"""Beat's trigger: what lies about is sent without any dispatcher."""

from datetime import UTC, datetime, timedelta

from tests.reminders.sending.conftest import MailSink, Post
from worker.jobs.enqueue import enqueue
from worker.jobs.job_run import JobRun
from worker.jobs.orders import SendOverdue
from worker.jobs.run_statements import claim
from worker.processes.child import rhythm
from worker.workflows.context import WorkerContext
from worker.workflows.send_overdue import send_overdue


def send_what_is_overdue(post: Post) -> None:
    with post.database.transaction() as session:
        job_id = enqueue(session, SendOverdue(), principal="beat")
    with post.database.transaction() as session:
        claimed = claim(session, job_id, worker="w", lease=30.0)
    assert claimed is not None
    run = JobRun(post.database, claimed, rhythm(post.settings))
    send_overdue(run, WorkerContext(post.settings, post.database))
    assert run.finished


def test_what_has_long_been_due_is_sent(post: Post, mail: MailSink) -> None:
    long_ago = datetime.now(UTC) - timedelta(seconds=30)
    old = [post.message(due_at=long_ago), post.message(channel="email", due_at=long_ago)]
    # A dispatcher that lives will take it within a second.
    fresh = post.message()
    send_what_is_overdue(post)
    assert [post.delivery(one).state for one in (*old, fresh)] == ["sent", "sent", "pending"]
    assert len(mail.received) == 1


def test_what_somebody_holds_is_left_alone(post: Post) -> None:
    held = post.message(due_at=datetime.now(UTC) - timedelta(seconds=30))
    post.do("UPDATE deliveries SET state = 'sending', lease_until = now() + interval '1 min'")
    send_what_is_overdue(post)
    assert post.delivery(held).state == "sending"
