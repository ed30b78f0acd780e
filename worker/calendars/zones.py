"""Time zones by their IANA names, from the pinned `tzdata` wheel.

Never from /usr/share/zoneinfo: two machines with different databases would put one lesson at two instants.
"""

import re
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import tzdata
from tzlocal.windows_tz import win_tz

from worker.errors import InvalidInput

# The longest name of the database has 32 characters; longer ones need no comparison.
_LONGEST_NAME = 64
_BLANKS = " \t\r\n"
# Names that denote no place: a machine without a zone, and a machine's local setting.
_NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})
_HOME = "Africa/Addis_Ababa"
_OFFSET = re.compile(r"(?:UTC|GMT|Z)?\s*([+−-])\s*(\d{1,2})(?::?([0-5]\d))?", re.IGNORECASE)  # noqa: RUF001 - U+2212
_CALLED = dict.fromkeys(("eat", "ethiopia", "addis ababa", "addis"), _HOME)


def zone(name: str) -> ZoneInfo:
    """The zone `name`, like "Africa/Addis_Ababa". Raises InvalidInput as `zone_name` does."""
    return _load(zone_name(name))


def zone_name(written: str) -> str:
    """The IANA name for `written`: an IANA name, an old link or a Windows name, in any case, with blanks around it.

    Raises InvalidInput for anything else. An offset is not accepted: it does not say which place's rules apply.
    """
    name = written.strip(_BLANKS)
    canonical = _canonical(name)
    if canonical is None:
        raise InvalidInput(f"There is no time zone {name[:_LONGEST_NAME]!r}{_likely(name)}.")
    return canonical


def known_zone(written: str | None, default: str) -> str:
    """As `zone_name`, but `default` for what is no zone: a person's account may contain any text."""
    return _canonical((written or "").strip(_BLANKS)) or default


def tzdata_version() -> str:
    """The release of the IANA database used to compute instants, like "2026a"."""
    return str(tzdata.IANA_VERSION)


@cache
def zone_names() -> frozenset[str]:
    """All names of the database that denote a place or UTC."""
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split()) - _NO_PLACES


# Called with names of the database only, which bounds the cache.
@cache
def _load(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def _canonical(name: str) -> str | None:
    return name if name in zone_names() else _spellings().get(name.casefold())


@cache
def _spellings() -> dict[str, str]:
    """IANA names by their lower-case form, and those of Windows (CLDR's windowsZones, territory 001)."""
    windows = {name.casefold(): place for name, place in win_tz.items() if place in zone_names()}
    # The same time as CLDR's Nairobi, but the place where the lessons are.
    windows["e. africa standard time"] = _HOME
    return windows | {name.casefold(): name for name in zone_names()}


def _likely(name: str) -> str:
    if len(name) > _LONGEST_NAME:
        return ""
    offset = _OFFSET.fullmatch(name)
    if offset:
        return f"; an offset does not say which place's clock is meant: name one, like {_place_at(offset)}"
    called = _CALLED.get(name.casefold())
    if called:
        return f"; did you mean {called}?"
    near = get_close_matches(name.replace(" ", "_").casefold(), _spellings(), n=1, cutoff=0.7)
    return f"; did you mean {_spellings()[near[0]]}?" if near else ""


def _place_at(offset: re.Match[str]) -> str:
    """A place with this offset all year: Addis Ababa if it matches or if no place does; else the first that does."""
    ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0)) * (1 if offset[1] == "+" else -1)
    places = (_HOME, "UTC", *sorted({*win_tz.values()} & zone_names()))
    return next((place for place in places if _offsets(place) == {ahead}), _HOME)


@cache
def _offsets(place: str) -> set[timedelta | None]:
    return {datetime(2026, month, 1, tzinfo=UTC).astimezone(_load(place)).utcoffset() for month in (1, 7)}
