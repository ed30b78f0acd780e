"""What the platform's server says about its own time zone: claims, which measurements must confirm."""

from dataclasses import dataclass

from worker.platform.connection import PlatformConnection, Row
from worker.zone_names import known_zone

_SHOWN = "SELECT setting AS zone, source FROM pg_catalog.pg_settings WHERE name = 'TimeZone'"
# A database or a role may have a zone of its own; setdatabase and setrole are 0 where it applies to all.
_SETTINGS = """
    SELECT role.rolname AS role, setdatabase <> 0 AS of_database, split_part(entry, '=', 2) AS zone,
           role.rolname = (SELECT pg_get_userbyid(relowner) FROM pg_catalog.pg_class
                            WHERE relname = 'users' AND relnamespace = 'public'::regnamespace) AS is_owner
      FROM pg_catalog.pg_db_role_setting
      LEFT JOIN pg_catalog.pg_roles role ON role.oid = setrole
     CROSS JOIN LATERAL unnest(setconfig) AS entry
     WHERE setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
       AND lower(split_part(entry, '=', 1)) = 'timezone'
"""


@dataclass(frozen=True)
class ZoneClaim:
    """A time zone as somebody wrote it, and where. `zone` is its IANA name; None for a mere number of hours."""

    text: str
    source: str
    zone: str | None


def read_claims(connection: PlatformConnection) -> list[ZoneClaim]:
    """The claims, the most credible first. Raises Unavailable.

    The platform usually writes as the owner of its tables, so that role's setting comes first (for this database before
    those for all databases), then the database's, then what this connection shows, then the settings of other roles.
    """
    shown = connection.rows(_SHOWN)[0]
    settings = sorted(connection.rows(_SETTINGS), key=_rank)
    claims = [_claim(row.zone, _words(row)) for row in settings if row.is_owner or row.role is None]
    # A value from PGTZ in this process's environment hides the server's.
    if shown.source != "client":
        claims.append(_claim(shown.zone, "SHOW timezone"))
    claims += [_claim(row.zone, _words(row)) for row in settings if row.role is not None and not row.is_owner]
    distinct: dict[str, ZoneClaim] = {}
    for claim in claims:
        distinct.setdefault(claim.zone or claim.text, claim)
    return list(distinct.values())


def _rank(row: Row) -> tuple[bool, bool]:
    return row.role is None, not row.of_database


def _words(row: Row) -> str:
    where = "this database" if row.of_database else "all databases"
    return f"the setting of {where}" if row.role is None else f"the setting of role {row.role} in {where}"


def _claim(text: str, source: str) -> ZoneClaim:
    return ZoneClaim(text, source, known_zone(text.strip("'\"")))
