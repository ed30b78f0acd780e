"""Dependencies of the routes, built once when the server starts."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from worker import clock
from worker.access.callers import Caller
from worker.database import Database
from worker.jobs.live import most_live_jobs
from worker.jobs.runs.failure_hooks import FailureHooks
from worker.limits.counters import Counters
from worker.limits.lease_rows import Bound
from worker.limits.leases import Leases
from worker.limits.messages import messages_planned
from worker.limits.rates import Rates, rates_of
from worker.media.containers.first_bytes import refuse_other_files
from worker.schedules.planning import Planning
from worker.settings import Settings
from worker.uploads.open_uploads import OpenUploads
from worker.uploads.uploads import Uploads
from worker.whiteboards.board_bytes import BoardBounds
from worker.workflows.context import WorkerContext
from worker.workflows.people.renew_people import renew_people


def _none_dropped() -> int:
    return 0


@dataclass(frozen=True)
class Services:
    """The dependencies of one API process."""

    settings: Settings
    database: Database
    failure_hooks: FailureHooks
    # How many jobs this process's publisher left to the relay; a metric in /metrics.
    publisher_drops: Callable[[], int] = _none_dropped

    @cached_property
    def context(self) -> WorkerContext:
        """The store and the spool, opened on first use."""
        return WorkerContext(self.settings, self.database)

    @cached_property
    def board_bounds(self) -> BoardBounds:
        """How large a board may grow."""
        return BoardBounds(self.settings.limit_board_page_bytes, self.settings.limit_board_session_bytes)

    @cached_property
    def rates(self) -> Rates:
        """How much one person may do."""
        return rates_of(self.settings)

    @cached_property
    def most_live_jobs(self) -> Mapping[str, int]:
        """How many live jobs of a kind one person may have."""
        return most_live_jobs(self.settings)

    @cached_property
    def open_uploads(self) -> OpenUploads:
        """The uploads in progress, limited per person."""
        settings = self.settings
        return OpenUploads(self.leases, settings.limit_open_uploads, settings.limit_open_upload_bytes)

    @cached_property
    def uploads(self) -> Uploads:
        """The uploads that are sent in pieces."""
        settings = self.settings
        return Uploads(
            self.database,
            self.context.spool,
            settings.spool_id,
            largest=settings.upload_max_bytes,
            retention=settings.spool_retention,
            bound=Bound("uploads", settings.limit_open_uploads, settings.limit_open_upload_bytes),
            check_head=refuse_other_files,
        )

    @cached_property
    def leases(self) -> Leases:
        """The open uploads and streams of this process, counted across all processes."""
        return Leases(self.database)

    def renew_people(self, user_ids: Collection[int]) -> frozenset[int]:
        """See `renew_people` of the workflows; nothing without PLATFORM_DATABASE_URL."""
        return renew_people(self.database, self.context.platform_people, user_ids, now=clock.now())

    def planning(self, *, skip_conflicts: bool = False) -> Planning:
        """The parameters for planning lessons now."""
        return Planning(clock.now(), self.settings.schedule_horizon_days, skip_conflicts)

    @contextmanager
    def acting(self, caller: Caller) -> Iterator[Session]:
        """A transaction of the caller, who is charged for the messages that it plans.

        Raises TooManyRequests at its end if that exceeds their limit; it is then rolled back.
        """
        with self.database.transaction() as session:
            yield session
            messages = min(messages_planned(session), self.rates.messages.most)
            if messages:
                self.counters.spend(session, self.rates.messages, caller.principal, messages)

    @cached_property
    def counters(self) -> Counters:
        """The counters of what people and addresses have used."""
        return Counters(self.database)


async def services_of(request: Request) -> Services:
    """The services of this application. Async although it awaits nothing: a plain function would run in a thread."""
    return cast("Services", request.app.state.services)


ServicesOf = Annotated[Services, Depends(services_of)]
