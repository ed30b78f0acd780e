"""What the routes are given, built once by whoever starts the server."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, cast

from fastapi import Depends, Request

from worker.database import Database
from worker.jobs.endings import Endings
from worker.limits.counters import Counters
from worker.limits.rates import Rates, rates_of
from worker.settings import Settings
from worker.whiteboards.board_bytes import BoardBounds
from worker.workflows.tools import Tools


def _none_dropped() -> int:
    return 0


@dataclass(frozen=True)
class Services:
    """The parts an API process works with."""

    settings: Settings
    database: Database
    endings: Endings
    # How many jobs this process's publisher left to the relay; a figure of /metrics.
    publisher_drops: Callable[[], int] = _none_dropped

    @cached_property
    def tools(self) -> Tools:
        """The store and the spool, found on first use."""
        return Tools(self.settings, self.database)

    @cached_property
    def board_bounds(self) -> BoardBounds:
        """How large a board may grow."""
        return BoardBounds(self.settings.limit_board_page_bytes, self.settings.limit_board_session_bytes)

    @cached_property
    def rates(self) -> Rates:
        """How much one person may do."""
        return rates_of(self.settings)

    @cached_property
    def counters(self) -> Counters:
        """What they have done."""
        return Counters(self.database)


async def services_of(request: Request) -> Services:
    """The services of the application that answers. It waits for nothing; a plain function would cost a thread."""
    return cast("Services", request.app.state.services)


ServicesOf = Annotated[Services, Depends(services_of)]
