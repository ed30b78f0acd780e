"""Time zones by their IANA names, from the pinned `tzdata` wheel.

Never from /usr/share/zoneinfo: two machines with two databases would put one lesson at two instants.
"""

from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import tzdata

from worker.errors import InvalidInput

# The longest name of the database has 32 characters; what is longer is not worth a comparison.
_LONGEST_NAME = 64


def zone(name: str) -> ZoneInfo:
    """The zone `name`, like "Africa/Addis_Ababa". Raises InvalidInput for what is no name of the IANA database."""
    if name not in zone_names():
        raise InvalidInput(f"There is no time zone {name[:_LONGEST_NAME]!r}{_likely(name)}.")
    return _load(name)


def tzdata_version() -> str:
    """The release of the IANA database that instants are computed from, like "2026a"."""
    return str(tzdata.IANA_VERSION)


@cache
def zone_names() -> frozenset[str]:
    """Every name of the database."""
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())


# Only names of the database come here, so there are never more than those in the cache.
@cache
def _load(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def _likely(name: str) -> str:
    if len(name) > _LONGEST_NAME:
        return ""
    spelled = {known.casefold(): known for known in zone_names()}
    near = get_close_matches(name.strip().replace(" ", "_").casefold(), spelled, n=1, cutoff=0.7)
    return f"; did you mean {spelled[near[0]]}?" if near else ""
