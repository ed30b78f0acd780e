"""Checks for the values of settings. Each raises ValueError with a text that says what is required."""

import re

from worker.zone_names import zone_names

# RFC 7518 §3.2: a key of HS256 has at least as many bits as its hash.
SHORTEST_KEY = 32
_FEWEST_CHARACTERS = 8

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BUCKET = re.compile(r"(?!b2-)[A-Za-z0-9-]{6,63}", re.ASCII)
_MAILBOX = re.compile(r"[^\s@<>\",;]+@[^\s@<>\",;]+\.[^\s@<>\",;]+")


def plain_text(text: str) -> str:
    """Text without control characters: a line break in a name or an address is a mistake or an attack."""
    if CONTROL.search(text):
        raise ValueError("must be a single line without control characters")
    return text


def signing_key(key: str) -> str:
    """A key that is long and varied enough not to be guessed."""
    plain_text(key)
    if key != key.strip():
        raise ValueError("must not begin or end with a blank; remove it here or in the platform's configuration")
    if len(key.encode()) < SHORTEST_KEY or len(set(key)) < _FEWEST_CHARACTERS:
        raise ValueError(
            f"must be a key of at least {SHORTEST_KEY} bytes with {_FEWEST_CHARACTERS} different characters, the same "
            "as the platform's; make one with `openssl rand -hex 32` and set it in both"
        )
    return key


def basic_auth(text: str) -> str:
    """`user:password`, or several separated by commas, as Flower reads it."""
    for pair in plain_text(text).split(","):
        user, _, password = pair.partition(":")
        if not user.strip() or not password.strip():
            raise ValueError("must be `user:password` with a user and a password, several separated by commas")
    return text


def zone_name(name: str) -> str:
    """The name of a time zone of the IANA database."""
    if name not in zone_names():
        raise ValueError("must be a time zone of the IANA database, like Africa/Addis_Ababa")
    return name


def bucket_name(name: str) -> str:
    """A bucket name that Backblaze B2 allows."""
    if not _BUCKET.fullmatch(name):
        raise ValueError("must be a bucket of B2: 6 to 63 letters, digits and hyphens, not beginning with `b2-`")
    return name


def mail_address(text: str) -> str:
    """A mail address without a display name."""
    if not _MAILBOX.fullmatch(text):
        raise ValueError("must be a mail address like no-reply@astegni.example, without a name")
    return text
