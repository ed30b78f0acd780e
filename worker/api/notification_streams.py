"""Watch inboxes fill: what each open stream has told its reader, and what it has yet to tell."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from models.reminders import Notification
from worker.access.callers import UserCaller
from worker.api.polling_streams import Tell, Watch
from worker.reminders.inbox import InboxCursor, InboxUpdate, read_updates


class InboxWatch(Watch):
    """A stream's view of a person's inbox, from the message with the id `since` on (None: the newest).

    Ids may appear out of order, so those above `above` are asked for again and again until nothing can come between.
    """

    def __init__(self, caller: UserCaller, standing: InboxCursor, since: int | None) -> None:
        super().__init__(caller)
        self.user_id = caller.user_id
        self.unread = standing.unread
        self.waiting: list[Notification] = []
        since = standing.newest if since is None else since
        self.above = min(since, standing.settled)
        self._told = {one for one in standing.later if one <= since}

    def tell(self, news: InboxUpdate) -> None:
        """Hand over what the database says now."""
        new = [one for one in news.notifications if one.id not in self._told]
        self._told = {one for one in (*self._told, *(new_one.id for new_one in new)) if one > news.settled}
        self.above = news.settled
        self.waiting += new
        if new or news.unread != self.unread:
            self.unread = news.unread
            self.stir()

    def take(self) -> list[Notification]:
        """What is to be sent now."""
        taken, self.waiting = self.waiting, []
        return taken


def read_watched_inboxes(session: Session, watches: Collection[InboxWatch]) -> Tell:
    """How the poller of watched inboxes reads them: two queries for all of them."""
    # Who has not sent on what it has gets nothing more: a slow client costs a bounded amount of memory.
    ready = {watch: watch.above for watch in watches if not watch.waiting}
    above: dict[int, int] = {}
    for watch, known in ready.items():
        above[watch.user_id] = min(known, above.get(watch.user_id, known))
    found = read_updates(session, above)

    def tell() -> None:
        for watch, known in ready.items():
            watch.tell(found[watch.user_id].after(known))

    return tell
