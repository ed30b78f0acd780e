"""The response of an open stream, which releases its subscription however it ends."""

from collections.abc import AsyncIterator
from typing import Generic

from fastapi.sse import EventSourceResponse
from starlette.types import Receive, Scope, Send

from worker.api.http.polling_streams import Subscriptions, W

# `no-store`: a cache would replay a stored stream as current. `X-Accel-Buffering`: nginx would buffer the events.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class SubscriptionEvents(EventSourceResponse, Generic[W]):
    """The response of a subscription in `subscriptions`; releases it however the stream ends."""

    def __init__(self, subscriptions: Subscriptions[W], subscription: W, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, headers=_HEADERS)
        self._subscriptions = subscriptions
        self._subscription = subscription

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events, then release the subscription."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._subscriptions.release(self._subscription)
