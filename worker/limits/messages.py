"""Count the messages to people that a transaction plans; the caller who caused them is charged when it ends."""

from sqlalchemy.orm import Session

_MESSAGES = "messages_planned"


def note_messages(session: Session, number: int) -> None:
    """Add `number` to the messages that the transaction of `session` has planned."""
    session.info[_MESSAGES] = messages_planned(session) + number


def messages_planned(session: Session) -> int:
    """How many messages the transaction of `session` has planned."""
    planned: int = session.info.get(_MESSAGES, 0)
    return planned
