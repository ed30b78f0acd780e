"""What became of a delivery in hand: one short transaction each, under the token of its run."""

import random
from uuid import UUID

from worker import clock
from worker.channels.errors import Refused, TryLater
from worker.database import Database
from worker.jobs.outage import outlast
from worker.logs import get_logger
from worker.reminders.failing import fail
from worker.reminders.marking import end, mark_sent, put_off
from worker.reminders.retrying import after_failure
from worker.reminders.taking import Taken
from worker.reminders.texts.facts import Untellable
from worker.reminders.verdicts import Drop, Fail, Verdict, Wait

_log = get_logger(__name__)


class Settler:
    """Writes down the ends of one run's deliveries; of those that are another's by now, nothing.

    `patience`: seconds for which a database that is away is waited for after something has gone out, or it would go
    out again.
    """

    def __init__(self, database: Database, run: UUID, *, patience: float) -> None:
        self._database = database
        self._run = run
        self._patience = patience

    def sent(self, one: Taken) -> None:
        """It has gone out."""

        def write() -> None:
            with self._database.statement() as statement:
                mark_sent(statement, [one.id], self._run)

        outlast(write, seconds=self._patience)

    def not_sent(self, one: Taken, error: Exception) -> None:
        """It has not, because of `error`: for now, for good, or for a reason that nobody expected."""
        if isinstance(error, Refused):
            self.settle(one, Fail(error.reason), channel_is_bad=True)
            return
        if isinstance(error, Untellable):
            _log.error("message_untellable", delivery_id=one.id, kind=one.kind, detail=error.detail)
            self.settle(one, Fail(error.code))
            return
        retry_after, reason = None, "internal"
        if isinstance(error, TryLater):
            retry_after, reason = error.retry_after, error.reason
        else:
            # Its words may hold an address.
            _log.error("delivery_crashed", delivery_id=one.id, kind=one.kind, error=type(error).__name__)
        now, chance = clock.now(), random.random()
        self.settle(one, after_failure(one.attempts, one.expires_at, retry_after, reason, now=now, chance=chance))

    def settle(self, one: Taken, verdict: Verdict, *, attempted: bool = True, channel_is_bad: bool = False) -> None:
        """It is put off, dropped, or failed; `attempted`: that counts as one of its attempts."""
        with self._database.transaction() as session:
            match verdict:
                case Wait(until, reason):
                    put_off(session, one.id, self._run, until=until, reason=reason, attempted=attempted)
                case Drop(state, reason):
                    end(session, one.id, self._run, state=state, reason=reason)
                case Fail(reason):
                    fail(session, one, self._run, reason, channel_is_bad=channel_is_bad)
        _log.info("delivery_not_sent", delivery_id=one.id, kind=one.kind, verdict=repr(verdict))
