"""Which columns the import needs and cannot read, beyond those that `check_platform` names."""

from collections.abc import Iterator

from worker.platform.catalog import Catalog
from worker.platform.check import Finding
from worker.platform.connection import PlatformConnection
from worker.platform.grants import TABLES
from worker.platform.people_source import PEOPLE
from worker.platform.state import PlatformState, platform_state
from worker.workflows.platform_import.kinds import all_kinds

# Older states lack what `all_kinds` needs, and import less.
_COMPLETE = {PlatformState.FEBRUARY_2026, PlatformState.JUNE_2026}


def unreadable_columns(connection: PlatformConnection) -> Iterator[Finding]:
    """A warning about columns that were dropped there, or that the role may not read. Raises Unavailable."""
    catalog = Catalog.read(connection)
    if platform_state(catalog) not in _COMPLETE:
        return
    sources = [kind.source for kind in all_kinds()]
    named = {*map(str, PEOPLE), *(f"{table}.{name}" for table in TABLES for name in catalog.denied_in(table))}
    denied = sorted({column for source in sources for column in source.denied(catalog)} - named)
    missing = sorted({column for source in sources for column in source.missing(catalog)} - named)
    if denied:
        text = f"{', '.join(denied)} may not be read, so nothing is imported; run `astegni platform grants`"
        yield Finding("import", "WARNING", text)
    if missing:
        yield Finding("import", "WARNING", f"{', '.join(missing)} is missing there, so its rows are not imported")
