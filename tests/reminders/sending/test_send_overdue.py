"""Beat's job: overdue messages are sent without any dispatcher."""

from datetime import UTC, datetime, timedelta

from tests.reminders.sending.conftest import DeliveryFixture, MailSink
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.routine_orders import SendOverdue
from worker.jobs.runs.claim import claim
from worker.jobs.runs.job_run import JobRun
from worker.processes.child import lease_timing
from worker.workflows.context import WorkerContext
from worker.workflows.lessons.send_overdue import send_overdue


def send_what_is_overdue(deliveries: DeliveryFixture) -> None:
    with deliveries.database.transaction() as session:
        job_id = enqueue(session, SendOverdue(), principal="beat")
    with deliveries.database.transaction() as session:
        claimed = claim(session, job_id, worker="w", lease=30.0)
    assert claimed is not None
    run = JobRun(deliveries.database, claimed, lease_timing(deliveries.settings))
    send_overdue(run, WorkerContext(deliveries.settings, deliveries.database))
    assert run.finished


def test_what_has_long_been_due_is_sent(deliveries: DeliveryFixture, mail: MailSink) -> None:
    long_ago = datetime.now(UTC) - timedelta(seconds=30)
    old = [deliveries.message(due_at=long_ago), deliveries.message(channel="email", due_at=long_ago)]
    # A dispatcher that lives will take it within a second.
    fresh = deliveries.message()
    send_what_is_overdue(deliveries)
    assert [deliveries.delivery(delivery_id).state for delivery_id in (*old, fresh)] == ["sent", "sent", "pending"]
    assert len(mail.received) == 1


def test_what_somebody_holds_is_left_alone(deliveries: DeliveryFixture) -> None:
    held = deliveries.message(due_at=datetime.now(UTC) - timedelta(seconds=30))
    deliveries.do("UPDATE deliveries SET state = 'sending', lease_until = now() + interval '1 min'")
    send_what_is_overdue(deliveries)
    assert deliveries.delivery(held).state == "sending"
