"""The name of the person at the command line, recorded with each action."""

import getpass
import os
import re
from typing import Annotated

import typer

from worker.errors import InvalidInput

_NAME = re.compile(r"[\w.@+-]{1,64}")

As = Annotated[str | None, typer.Option("--as", help="Your name, for the record; otherwise that of your account.")]


def actor(name: str | None) -> str:
    """`cli:` and the given name, else the account's name, else the account's number.

    Raises InvalidInput.
    """
    chosen = name or _account()
    if not _NAME.fullmatch(chosen):
        raise InvalidInput("--as is a name of at most 64 letters, digits and . _ @ + -.")
    return f"cli:{chosen}"


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"
