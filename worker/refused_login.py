"""Explain why PostgreSQL refuses a login."""

# Parts of PostgreSQL's messages for refused connections, which have no SQLSTATE, and what each of them means.
_REFUSALS = (
    ("password authentication failed", "the user or the password is wrong"),
    ("no password supplied", "it wants a password"),
    ('role "', "there is no such user"),
    ("no pg_hba.conf entry", "its pg_hba.conf does not admit this user from this machine"),
    ('database "', "there is no such database"),
    ("too many connections", "it has too many connections"),
    ("remaining connection slots", "it has too many connections"),
)


def refused_login(error: Exception) -> str | None:
    """Why a server that responded refused the connection, without names; None for any other error."""
    text = str(getattr(error, "orig", None) or error)
    if "FATAL:" not in text:
        return None
    return next((meaning for words, meaning in _REFUSALS if words in text), None)
