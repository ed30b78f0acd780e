"""Messages to people, counted in the transaction that plans them: whoever requested it is charged at its end."""

from sqlalchemy.orm import Session

_MESSAGES = "messages_planned"


def note_messages(session: Session, number: int) -> None:
    """The transaction of `session` has planned so many messages more."""
    session.info[_MESSAGES] = messages_planned(session) + number


def messages_planned(session: Session) -> int:
    """How many messages the transaction of `session` has planned."""
    planned: int = session.info.get(_MESSAGES, 0)
    return planned
