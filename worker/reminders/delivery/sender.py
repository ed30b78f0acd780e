"""Send a batch: check again, compose, send with no transaction open, mark under the token."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from worker import clock
from worker.channels.errors import OurFault, PermanentFailure, TemporaryFailure, UnknownRecipient
from worker.database import Database
from worker.jobs.runs.wait_for_database import retry_while_database_down
from worker.metrics.recorder import record_message, record_pause
from worker.reminders.delivery.circuit_breaker import CircuitBreaker
from worker.reminders.delivery.claim import release, renew
from worker.reminders.delivery.claimed import ClaimedDelivery, read_claimed
from worker.reminders.delivery.compose import compose
from worker.reminders.delivery.decide import context_of, decide
from worker.reminders.delivery.decisions import SendNow
from worker.reminders.delivery.in_app import put_in_app
from worker.reminders.delivery.lesson_facts import LessonFacts, read_lesson_facts
from worker.reminders.delivery.outcomes import OutcomeWriter
from worker.reminders.delivery.transport import RenderedMessage, Transport
from worker.reminders.unknown_recipients import HeldBackDelivery, UnknownRecipients

# Providers that one batch calls concurrently, so that one dead webhook does not delay all others. No more, since each
# needs a database connection now and then, and a child has four.
_PROVIDERS_AT_ONCE = 4


@dataclass(frozen=True)
class SendPolicy:
    """Settings of sending. `lease`: seconds for which a delivery is claimed; `board_url`: the setting WHITEBOARD_URL.

    `organizer`: the sender's mail address, which calendar files name. `timeout`: for how many seconds one batch may
    occupy its process; messages that a slow provider has not accepted by then are postponed.
    """

    lease: float
    default_zone: str
    board_url: str | None
    organizer: str
    timeout: float = 10.0


@dataclass(frozen=True)
class _BatchRun:
    """A batch being sent: its token, its lessons, and when it began (monotonic seconds)."""

    token: UUID
    lessons: LessonFacts
    outcomes: OutcomeWriter
    began: float = field(default_factory=time.monotonic)


class BatchSender:
    """Sends batches, in one process; the state of circuit breakers is kept between batches."""

    def __init__(self, database: Database, transport: Transport, policy: SendPolicy) -> None:
        self._database = database
        self._transport = transport
        self._policy = policy
        self._breaker = CircuitBreaker()
        self._unknown = UnknownRecipients()

    def deliver(self, ids: Sequence[int], token: UUID) -> None:
        """Send each delivery once that `token` still owns and that is still worth sending; settle the rest."""
        if not ids:
            return
        run_token = uuid4()
        with self._database.statement() as statement:
            claimed = read_claimed(statement, ids, token, run=run_token, lease=self._policy.lease)
        if not claimed:
            return
        about = {delivery.schedule_id for delivery in claimed if delivery.schedule_id is not None}
        with self._database.transaction() as session:
            lessons = read_lesson_facts(session, about, board_url=self._policy.board_url)
        run = _BatchRun(
            run_token, lessons, OutcomeWriter(self._database, run_token, write_timeout=self._policy.lease / 2)
        )
        going = [delivery for delivery in claimed if self._goes_out(delivery, run)]
        self._put_in_app([delivery for delivery in going if delivery.channel_kind == "in_app"], run)
        try:
            self._send_out([delivery for delivery in going if delivery.channel_kind != "in_app"], run)
        finally:
            self._transport.disconnect()

    def _goes_out(self, delivery: ClaimedDelivery, run: _BatchRun) -> bool:
        same = bool(delivery.goes_to_account) and self._transport.leads_to_account(delivery)
        context = context_of(delivery, run.lessons, default_zone=self._policy.default_zone, same_mailbox=same)
        decision = decide(context, clock.now())
        if isinstance(decision, SendNow):
            return True
        run.outcomes.settle(delivery, decision, attempted=False)
        return False

    def _put_in_app(self, deliveries: Sequence[ClaimedDelivery], run: _BatchRun) -> None:
        """Write all of them in one transaction."""
        messages: dict[int, tuple[ClaimedDelivery, RenderedMessage]] = {}
        for delivery in deliveries:
            try:
                messages[delivery.id] = delivery, self._compose(delivery, run)
            except Exception as error:  # noqa: BLE001 - one message that cannot be composed must not hold up the others
                run.outcomes.record_not_sent(delivery, error)
        if not messages:
            return

        def write() -> None:
            with self._database.transaction() as session:
                put_in_app(session, messages, run.token)

        retry_while_database_down(write, seconds=self._policy.lease / 2)
        for delivery, _message in messages.values():
            _count_sent(delivery)

    def _send_out(self, deliveries: Sequence[ClaimedDelivery], run: _BatchRun) -> None:
        """Send to several providers concurrently, to each one sequentially."""
        by_provider: dict[str, list[ClaimedDelivery]] = {}
        for delivery in deliveries:
            try:
                by_provider.setdefault(self._transport.provider(delivery), []).append(delivery)
            except Exception as error:  # noqa: BLE001 - an unreadable address must not hold up the others
                run.outcomes.record_not_sent(delivery, error)
        if len(by_provider) == 1:
            self._send_by(*by_provider.popitem(), run)
        elif by_provider:
            with ThreadPoolExecutor(_PROVIDERS_AT_ONCE, thread_name_prefix="provider") as pool:
                list(pool.map(lambda provider: self._send_by(provider, by_provider[provider], run), by_provider))

    def _send_by(self, provider: str, deliveries: Sequence[ClaimedDelivery], run: _BatchRun) -> None:
        """Send one provider's messages; the lease of the waiting ones is renewed meanwhile."""
        renewed = run.began
        waiting = list(deliveries)
        while waiting:
            now = time.monotonic()
            if now - run.began > self._policy.timeout:
                with self._database.statement() as statement:
                    release(statement, [delivery.id for delivery in waiting], run.token, charged=True)
                return
            if now - renewed > self._policy.lease / 3:
                with self._database.statement() as statement:
                    held = renew(statement, [delivery.id for delivery in waiting], run.token, lease=self._policy.lease)
                waiting, renewed = [delivery for delivery in waiting if delivery.id in held], now
                continue
            self._send(provider, waiting.pop(0), run)

    def _send(self, provider: str, delivery: ClaimedDelivery, run: _BatchRun) -> None:
        pause = self._breaker.seconds_open(provider, time.monotonic())
        if pause > 0:
            run.outcomes.hold_back(delivery, pause, "provider-away")
            return
        try:
            self._try_to_send(provider, delivery, self._compose(self._transport.readable(delivery), run), run)
        except Exception as error:  # noqa: BLE001 - one message that cannot be sent must not hold up the others
            run.outcomes.record_not_sent(delivery, error, provider)
        else:
            run.outcomes.record_sent(delivery, provider)
            _count_sent(delivery)
            for unknown in self._unknown.record_acceptance(provider, time.monotonic()):
                run.outcomes.switch_off(unknown.delivery, unknown.reason)

    def _try_to_send(self, provider: str, delivery: ClaimedDelivery, message: RenderedMessage, run: _BatchRun) -> None:
        began = time.monotonic()
        try:
            self._send_to_known(provider, delivery, message)
        except TemporaryFailure as error:
            now = time.monotonic()
            if error.alone:
                self._record_response(provider, run)
            else:
                self._breaker.record_failure(provider, now, took=now - began)
                pause = self._breaker.seconds_open(provider, now)
                if pause > 0:
                    record_pause(str(delivery.channel_kind), now + pause)
            raise
        except PermanentFailure:
            self._record_response(provider, run)
            raise
        self._breaker.record_success(provider)

    def _send_to_known(self, provider: str, delivery: ClaimedDelivery, message: RenderedMessage) -> None:
        try:
            self._transport.send(delivery, message)
        except UnknownRecipient as error:
            if self._unknown.record_refusal(provider, HeldBackDelivery(delivery, error.reason, time.monotonic())):
                raise OurFault(f"{error.reason} It says so of everybody.") from error
            raise

    def _record_response(self, provider: str, run: _BatchRun) -> None:
        self._breaker.record_success(provider)
        run.outcomes.record_response(provider)

    def _compose(self, delivery: ClaimedDelivery, run: _BatchRun) -> RenderedMessage:
        lesson = run.lessons.facts_for(delivery.schedule_id, delivery.user_id)
        zone, organizer = self._policy.default_zone, self._policy.organizer
        return compose(delivery, lesson, default_zone=zone, organizer=organizer, now=clock.now())


def _count_sent(delivery: ClaimedDelivery) -> None:
    record_message(str(delivery.channel_kind), (clock.now() - delivery.due_at).total_seconds())
