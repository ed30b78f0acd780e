"""The findings about the platform's database that `astegni platform check` and `astegni doctor` report."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from worker.errors import InvalidSetting, Misconfigured, Unavailable
from worker.refused_login import refused_login
from worker.settings import Settings

if TYPE_CHECKING:
    from worker.platform.check import Finding
    from worker.platform.connection import PlatformConnection


@contextmanager
def platform_reader(settings: Settings) -> "Iterator[PlatformConnection]":
    """A connection to PLATFORM_DATABASE_URL; raises Misconfigured where it is not set or its login is refused."""
    from worker.platform.connection import PlatformConnection  # noqa: PLC0415

    url = settings.platform_database_url
    if url is None:
        raise InvalidSetting(
            "PLATFORM_DATABASE_URL is not set: it names the platform's database and a role that reads."
        )
    connection = PlatformConnection(url.get_secret_value())
    try:
        yield connection
    except Unavailable as error:
        refusal = refused_login(error.__cause__) if isinstance(error.__cause__, Exception) else None
        if refusal is None:
            raise
        raise Misconfigured(f"The database of PLATFORM_DATABASE_URL answers and refuses: {refusal}.") from error
    finally:
        connection.close()


def platform_findings(settings: Settings) -> "Iterator[Finding]":
    """Each finding as it is made. Raises Misconfigured, Unavailable."""
    from worker.platform.check import check_platform  # noqa: PLC0415 - not for `--help`
    from worker.workflows.platform_import.unreadable_columns import unreadable_columns  # noqa: PLC0415

    with platform_reader(settings) as connection:
        yield from check_platform(connection, settings.platform_timezone)
        yield from unreadable_columns(connection)
