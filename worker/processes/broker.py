"""Send a job's id to the broker: the only caller of Celery's `send_task`."""

from typing import Any

from celery import Celery
from kombu import Exchange, Queue

from worker.database import Database
from worker.jobs.heartbeats import MISSED
from worker.jobs.job_message import JobMessage
from worker.jobs.publish import PublicationLease, Send, publish
from worker.jobs.publisher import Publisher
from worker.settings import Settings

EXCHANGE = "astegni"
# For RabbitMQ; Redis has no such arguments. A queue is written to the disk of most nodes before a message is confirmed.
# A message is acknowledged after its run: within two days (in ms), where RabbitMQ's default is half an hour (this
# argument exists since 3.12). An existing queue cannot be declared with other arguments.
CONSUMER_TIMEOUT = 172_800_000
QUEUE_ARGUMENTS = {"x-queue-type": "quorum", "x-consumer-timeout": CONSUMER_TIMEOUT}
# The soft limit interrupts the run so that it can settle; this many seconds later the child is killed.
_GRACE = 30
# The header that names the other jobs of a message. Workers of the previous release ignore it: those jobs are published
# again when their lease expires.
OTHER_JOBS = "other_jobs"
# Slightly more than the number of jobs that one finished job makes room for.
_NEXT = 10


def queue(name: str) -> Queue:
    """One of our queues, whichever process consumes it."""
    return Queue(name, Exchange(EXCHANGE), routing_key=name, queue_arguments=QUEUE_ARGUMENTS)


def sender(app: Celery) -> Send:
    """A function that sends one message through `app`."""

    def send(message: JobMessage) -> None:
        app.send_task(
            message.kind,
            args=(str(message.job_id),),
            task_id=message.message_id,
            # The Queue object, not its name: another spool's queue is not among those this process declares.
            queue=queue(message.queue),
            soft_time_limit=message.time_limit,
            time_limit=message.time_limit + _GRACE,
            headers=_headers(message),
        )

    return send


def _headers(message: JobMessage) -> dict[str, Any]:
    if not message.others:
        return {}
    # `argsrepr` is what Flower shows: every job.
    return {
        OTHER_JOBS: [str(job_id) for job_id in message.others],
        "argsrepr": repr([str(job_id) for job_id in message.job_ids]),
    }


def publication_lease(settings: Settings) -> PublicationLease:
    """How long a published job waits before it is published again."""
    alive = settings.heartbeat_interval * MISSED
    return PublicationLease(settings.published_lease, settings.published_lease_max, alive)


def start_publisher(app: Celery, settings: Settings, *, connections: int = 4) -> tuple[Database, Publisher]:
    """This process's database, whose commits trigger publishing, and the publisher thread.

    `connections` is the maximum that the process may open at once.

    Call it after a fork: neither a connection nor a thread survives one.
    """
    publisher_database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=1)
    send, lease = sender(app), publication_lease(settings)
    publisher = Publisher(
        lambda job_ids: publish(publisher_database, send, lease, only=job_ids),
        publish_due=lambda: publish(publisher_database, send, lease, most=_NEXT),
        close=publisher_database.close,
    )
    publisher.start()
    pool_size = (connections + 1) // 2
    database = Database(
        settings.sqlalchemy_url, announce=publisher.offer, pool_size=pool_size, max_overflow=connections - pool_size
    )
    return database, publisher
