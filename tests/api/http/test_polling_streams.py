"""The poller of event streams: a process has one, so no error may end it."""

import asyncio
from collections.abc import Collection

from psycopg.errors import InsufficientPrivilege
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from tests.waiting import TIMEOUT
from worker import clock
from worker.access.callers import UserCaller
from worker.api.http.polling_streams import Publish, Subscriptions
from worker.api.http.subscription import Subscription
from worker.api.services import Services
from worker.limits.lease_rows import Bound


def _read(_session: Session, _subscriptions: Collection[Subscription]) -> Publish:
    return lambda: None


def _renew(_user_ids: Collection[int]) -> Collection[int]:
    # As when the platform takes back a right on its tables.
    raise InsufficientPrivilege("permission denied for table users")


def test_a_platform_that_rejects_a_statement_keeps_no_expired_stream_open(
    services: Services, client: TestClient
) -> None:
    async def follow() -> None:
        bound = Bound("streams", 20)
        streams = Subscriptions(services.database, _read, services.leases, bound, renew=_renew, interval=0.05)
        subscription = Subscription(UserCaller(1, expires_at=int(clock.now().timestamp()) + 2))
        await streams.add(subscription)
        async with asyncio.timeout(TIMEOUT):
            while not subscription.ended:
                await subscription.changed()
        await streams.close()

    assert client.portal is not None
    client.portal.call(follow)
