"""Incidents of an installation, and which alarms of deploy/prometheus/rules.yml report them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass

from tests.chaos.harness.installation import Installation

# Seconds. What one orders is done before the next: a job whose lane is full is not for the publisher.
_BETWEEN_UPLOADS = 4.0


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Incident:
    """`cause` begins it, `repair` ends it; `meanwhile` is what clients do as long as it lasts.

    `is_alone`: parts that recover from another incident need what it breaks, or no metrics can be read.
    """

    name: str
    alarms: tuple[str, ...]
    cause: Callable[[], object]
    repair: Callable[[], object]
    meanwhile: Callable[[], AbstractContextManager[None]] = nullcontext
    afterwards: Callable[[], object] = _nothing
    is_alone: bool = False

    @contextmanager
    def lasting(self) -> Iterator[None]:
        """It lasts as long as the block."""
        self.cause()
        try:
            with self.meanwhile():
                yield
        finally:
            self.repair()


def incidents_of(installation: Installation) -> list[Incident]:
    """All that can be caused here; without the right to mount a disk it does not become full.

    Those of the same alarms do not follow one another, except where one is alone.
    """
    environment, servers, mail = installation.environment, installation.environment.servers, installation.mail

    def kill_workers() -> None:
        installation.kill_workers()
        installation.submit_order()
        installation.send_mail()

    def stop_broker() -> None:
        servers.broker.stop()
        installation.submit_order()

    def refuse_mail(mode: str) -> None:
        mail.mode = "unavailable" if mode == "unavailable" else "over-limit"
        installation.send_mail()

    def accept_mail() -> None:
        mail.mode = "accepting"
        installation.bring_mail_forward()

    mail_alarms = ("MailPutOff", "ProviderRefuses")
    return [
        Incident(
            "all workers are killed",
            ("NoWorkers", "LoopStopped", "JobsWait", "DeliveriesOverdue"),
            kill_workers,
            environment.workers.start,
            afterwards=installation.wait_for_orders,
        ),
        Incident("beat is killed", ("BeatStopped",), installation.kill_beat, installation.start_beat),
        Incident(
            "the API answers 500",
            ("ApiFails",),
            installation.hide_table,
            installation.show_table,
            meanwhile=lambda: installation.clients(lambda: environment.http.get("/v1/session-requests")),
        ),
        Incident("B2 is unavailable", ("StorageAway",), servers.stop_storage, servers.start_storage),
        Incident("the mail server is unavailable", mail_alarms, lambda: refuse_mail("unavailable"), accept_mail),
        Incident(
            "the API does not reach Redis",
            ("BrokerAway", "PublisherDrops"),
            lambda: installation.cut_api_off(True),
            lambda: installation.cut_api_off(False),
            meanwhile=lambda: installation.clients(
                lambda: environment.post_recording(environment.new_session()), pause=_BETWEEN_UPLOADS
            ),
        ),
        Incident(
            "the mail server's daily limit is reached", mail_alarms, lambda: refuse_mail("over-limit"), accept_mail
        ),
        Incident(
            "all children of the workers hang",
            ("QueueStopped",),
            installation.freeze_children,
            installation.continue_children,
            is_alone=True,
        ),
        Incident(
            "Redis is unavailable",
            ("BrokerAway", "NoWorkers", "JobsWait"),
            stop_broker,
            installation.start_broker,
            afterwards=installation.wait_for_orders,
            is_alone=True,
        ),
        Incident(
            "PostgreSQL is unavailable", ("DatabaseAway",), servers.stop_database, servers.start_database, is_alone=True
        ),
        Incident("the API is killed", ("NoMetrics",), installation.stop_api, installation.start_api, is_alone=True),
        *(
            [Incident("the disk is full", ("SpoolFull",), lambda: fill(installation), lambda: empty(installation))]
            if installation.spool.is_mount()
            else []
        ),
    ]


def fill(installation: Installation) -> None:
    """Leave no byte on the disk of the spool."""
    with suppress(OSError), (installation.spool / "filling").open("wb") as file:
        while file.write(bytes(1 << 20)):
            file.flush()


def empty(installation: Installation) -> None:
    """Remove what filled it."""
    (installation.spool / "filling").unlink()
