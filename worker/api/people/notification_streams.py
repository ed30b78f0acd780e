"""Open streams of notifications: what each has sent, and what it still has to send."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from models.notifications import Notification
from worker.access.callers import UserCaller
from worker.api.http.polling_streams import Publish
from worker.api.http.subscription import Subscription
from worker.reminders.inbox import InboxCursor, InboxUpdate, read_updates


class InboxSubscription(Subscription):
    """A stream's view of a person's inbox, from the message with the id `since` on (None: the newest)."""

    def __init__(self, caller: UserCaller, cursor: InboxCursor, since: int | None) -> None:
        super().__init__(caller)
        self.user_id = caller.user_id
        self.unread = cursor.unread
        self.waiting: list[Notification] = []
        # The client may know a higher id than the newest, if the database was restored since.
        self.above = cursor.newest if since is None else min(since, cursor.newest)

    def publish(self, update: InboxUpdate) -> None:
        """Queue the new notifications, and wake the stream."""
        if update.notifications:
            self.above = update.notifications[-1].id
            self.waiting += update.notifications
        elif update.unread == self.unread:
            return
        self.unread = update.unread
        self.notify()

    def take(self) -> list[Notification]:
        """The notifications to send now, each returned once."""
        notifications, self.waiting = self.waiting, []
        return notifications


def read_inbox_updates(session: Session, subscriptions: Collection[InboxSubscription]) -> Publish:
    """Read what is new in the inboxes of all subscriptions, in two queries."""
    # A stream with unsent notifications gets no more, so that a slow client costs a bounded amount of memory.
    ready = {subscription: subscription.above for subscription in subscriptions if not subscription.waiting}
    above: dict[int, int] = {}
    for subscription, known in ready.items():
        above[subscription.user_id] = min(known, above.get(subscription.user_id, known))
    updates = read_updates(session, above)

    def publish() -> None:
        for subscription, known in ready.items():
            subscription.publish(updates[subscription.user_id].after(known))

    return publish
