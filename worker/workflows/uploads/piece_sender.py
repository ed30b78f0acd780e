"""Read the sender of a piece and their upload in one statement."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import text

from worker.access.callers import UserCaller
from worker.access.people import CLAIM_COLUMNS, CLAIM_TABLES, claim_values, claims_of
from worker.database import Executor
from worker.errors import NotFound, Unauthorized
from worker.platform.people import PlatformPeople
from worker.uploads.upload_limits import LIMIT_COLUMNS, LIMIT_JOIN, UploadLimits
from worker.workflows.people.verify_caller import is_fresh

_SENDER = text(f"SELECT {CLAIM_COLUMNS}, {LIMIT_COLUMNS} FROM {CLAIM_TABLES} {LIMIT_JOIN}")  # noqa: S608 - constants


class PieceSender:
    """The person whom a token names, not verified yet. `on_verified` is called once they are."""

    def __init__(
        self, user: UserCaller, platform: PlatformPeople | None, *, now: datetime, on_verified: Callable[[], None]
    ) -> None:
        self.is_verified = False
        self._user = user
        self._platform = platform
        self._now = now
        self._on_verified = on_verified

    def read_limits(self, executor: Executor, upload_id: str, principal: str) -> UploadLimits:
        """As `upload_rows.read_limits`, after verifying the sender like `verify_caller`.

        Also raises Unauthorized, even for somebody who must first be read from the platform.
        """
        values = {**claim_values(self._user), "upload_id": upload_id, "principal": principal}
        row = executor.execute(_SENDER, values).fetchone()
        claims = claims_of(self._user, None if row is None else row[:-3])
        if not is_fresh(self._platform, claims, self._now):
            raise Unauthorized("The account must be read from the platform again.")
        claims.accepted(unknown_are_absent=self._platform is not None)
        self.is_verified = True
        self._on_verified()
        if row is None or row.state is None:
            raise NotFound("There is no such upload.")
        return UploadLimits(row.state, row.length, row.reserved)
