"""The names of time zones in the IANA database that are places."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

# Entries of the IANA database that are not a place's time zone.
_NO_ZONES = frozenset({"Factory", "localtime", "posixrules"})


def known_zone(text: str) -> str | None:
    """The zone's name as the IANA database spells it, ignoring case; None for anything else."""
    return {name.lower(): name for name in zone_names()}.get(text.lower())


@cache
def zone_names() -> Sequence[str]:
    """The names of all time zones of the IANA database, in order."""
    names = files("tzdata").joinpath("zones").read_text("utf-8").split()
    return tuple(sorted({*names} - _NO_ZONES))
