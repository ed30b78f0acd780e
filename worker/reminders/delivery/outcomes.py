"""Record the outcome of each delivery, in one short transaction each, under the token of its run."""

import random
from uuid import UUID

from worker import clock
from worker.channels.errors import (
    OurFault,
    PermanentFailure,
    TemporaryFailure,
    Unconfirmed,
    UnknownRecipient,
    Unreachable,
)
from worker.database import Database
from worker.jobs.runs.wait_for_database import retry_while_database_down
from worker.logs import get_logger
from worker.reminders.delivery.channel_failures import count_failure, forget_failures
from worker.reminders.delivery.claimed import ClaimedDelivery
from worker.reminders.delivery.decisions import DeliveryDecision, Discard, Postpone, Reject
from worker.reminders.delivery.fail import fail, put_in_app_instead, switch_off
from worker.reminders.delivery.mark import end, mark_sent, put_off
from worker.reminders.delivery.provider_troubles import clear_trouble, note_trouble
from worker.reminders.delivery.retry import OUR_FAULT_PAUSE, after_failure, until_provider_works
from worker.reminders.texts.facts import InvalidMessageData

_log = get_logger(__name__)


class OutcomeWriter:
    """Records the outcomes of one run's deliveries; writes nothing for those that another run owns by now.

    `write_timeout`: for how many seconds to wait for an unavailable database after a message was sent, since it would
    otherwise be sent again.
    """

    def __init__(self, database: Database, run: UUID, *, write_timeout: float) -> None:
        self._database = database
        self._run = run
        self._write_timeout = write_timeout

    def record_sent(self, delivery: ClaimedDelivery, provider: str) -> None:
        """Record that `provider` sent it, which ends the provider's trouble, whichever process reported that."""

        def write() -> None:
            # A single statement where possible, because every mail pays for it.
            if delivery.channel_id is None:
                with self._database.statement() as statement:
                    mark_sent(statement, [delivery.id], self._run, provider=provider)
                return
            with self._database.transaction() as session:
                if mark_sent(session, [delivery.id], self._run, provider=provider):
                    forget_failures(session, delivery.channel_id)

        retry_while_database_down(write, seconds=self._write_timeout)

    def record_not_sent(self, delivery: ClaimedDelivery, error: Exception, provider: str | None = None) -> None:
        """Record that it was not sent because of `error`: temporary, permanent, or unexpected.

        `provider`: the one that was called, or None.
        """
        match error:
            case UnknownRecipient():
                # The recipient is known to be at fault only once the server accepts another one (switch_off).
                _log.info("delivery_refused", delivery_id=delivery.id, provider=_public(provider), reason=error.reason)
                self.settle(delivery, Reject(error.reason))
            case PermanentFailure():
                _log.info("delivery_refused", delivery_id=delivery.id, provider=_public(provider), reason=error.reason)
                self.settle(delivery, Reject(error.reason), channel_is_bad=error.address_is_bad)
            case InvalidMessageData():
                _log.error("message_untellable", delivery_id=delivery.id, kind=delivery.kind, detail=error.detail)
                self.settle(delivery, Reject(error.code))
            case OurFault():
                self._alarm(provider or str(delivery.channel_kind), error.reason)
                self.hold_back(delivery, max(OUR_FAULT_PAUSE, error.retry_after or 0.0), error.reason)
            case Unconfirmed():
                # Charged, unlike other faults of the provider: each attempt may have been one more copy.
                self._alarm(provider or str(delivery.channel_kind), error.reason)
                self._failed_for_now(delivery, error.reason, error)
            case TemporaryFailure():
                self._failed_for_now(delivery, error.reason, error)
            case _:
                # Not the error's message, which may contain an address.
                _log.error("delivery_crashed", delivery_id=delivery.id, kind=delivery.kind, error=type(error).__name__)
                self._failed_for_now(delivery, "internal")

    def hold_back(self, delivery: ClaimedDelivery, pause: float, reason: str) -> None:
        """Postpone it by `pause` seconds or more, because of its provider only: no attempt is charged."""
        now, chance = clock.now(), random.random()
        decision = until_provider_works(delivery.created_at, delivery.expires_at, pause, reason, now=now, chance=chance)
        self.settle(delivery, decision, attempted=False)

    def switch_off(self, delivery: ClaimedDelivery, reason: str) -> None:
        """Disable the delivery's channel, which failed permanently."""
        with self._database.transaction() as session:
            switch_off(session, delivery, reason)
        _log.info("channel_switched_off", delivery_id=delivery.id, reason=reason)

    def record_response(self, provider: str) -> None:
        """Record that the provider responds, even if it refused a message or its recipient."""
        with self._database.transaction() as session:
            clear_trouble(session, provider)

    def settle(
        self,
        delivery: ClaimedDelivery,
        decision: DeliveryDecision,
        *,
        attempted: bool = True,
        channel_is_bad: bool = False,
    ) -> None:
        """Postpone, drop or fail it; `attempted`: this counts as one of its attempts."""
        with self._database.transaction() as session:
            match decision:
                case Postpone(until, reason):
                    put_off(session, delivery.id, self._run, until=until, reason=reason, attempted=attempted)
                case Discard(state, reason, instead_in_app):
                    if end(session, delivery.id, self._run, state=state, reason=reason) and instead_in_app:
                        put_in_app_instead(session, delivery)
                case Reject(reason):
                    fail(session, delivery, self._run, reason, channel_is_bad=channel_is_bad)
        _log.info("delivery_not_sent", delivery_id=delivery.id, kind=delivery.kind, decision=repr(decision))

    def _alarm(self, provider: str, reason: str) -> None:
        _log.error("provider_refuses_us", provider=_public(provider), reason=reason)
        with self._database.transaction() as session:
            note_trouble(session, provider, reason)

    def _failed_for_now(self, delivery: ClaimedDelivery, reason: str, error: TemporaryFailure | None = None) -> None:
        """Retry it, unless its channel has now failed too often."""
        if error is not None and error.counts and delivery.channel_id is not None:
            with self._database.transaction() as session:
                has_failed = count_failure(session, delivery.channel_id, silent=isinstance(error, Unreachable))
            if has_failed:
                self.settle(delivery, Reject(reason), channel_is_bad=True)
                return
        retry_after = None if error is None else error.retry_after
        now, chance = clock.now(), random.random()
        self.settle(
            delivery, after_failure(delivery.attempts, delivery.expires_at, retry_after, reason, now=now, chance=chance)
        )


def _public(provider: str | None) -> str | None:
    """The provider's name for logs: the host of a person's webhook is private."""
    return "webhook" if provider is not None and provider.startswith("webhook:") else provider
