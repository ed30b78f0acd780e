"""Explain why PostgreSQL refuses a login."""

# Parts of PostgreSQL's messages for refused connections, which have no SQLSTATE, and what each of them means.
_REFUSALS = (
    ("password authentication failed", "the user or the password is wrong"),
    ("no password supplied", "it wants a password"),
    ("no pg_hba.conf entry", "its pg_hba.conf does not admit this user from this machine"),
    # "too many connections for role …" and "… for database …" are limits of that role or database.
    ("too many connections", "it has too many connections"),
    ("too many clients", "it has too many connections"),
    ("remaining connection slots", "it has too many connections"),
    ("not permitted to log in", "this user may not log in"),
    ("permission denied for database", "this user may not connect to this database"),
    ("not currently accepting connections", "this database accepts no connections"),
    # Last: the messages above name roles and databases, too.
    ('role "', "there is no such user"),
    ('database "', "there is no such database"),
)


READ_ONLY = "accepts no changes now: it is a standby, or read-only, perhaps because its disk is full"


def accepts_no_changes(error: Exception) -> bool:
    """Whether a server that responded is read-only: libpq says so, because we ask for a session that may write."""
    return "session is read-only" in str(getattr(error, "orig", None) or error)


def refused_login(error: Exception) -> str | None:
    """Why a server that responded refused the connection, without names; None for any other error."""
    text = str(getattr(error, "orig", None) or error)
    if "FATAL:" not in text:
        return None
    return next((meaning for words, meaning in _REFUSALS if words in text), None)
