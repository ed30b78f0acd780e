"""Values of PostgreSQL that Python cannot represent are NULL; all others are loaded as usual."""

from datetime import UTC, date, datetime, time

from worker.platform.connection import PlatformConnection

_DEEP = "[" * 4000 + "]" * 4000


def test_what_python_cannot_represent_is_null(platform_connection: PlatformConnection) -> None:
    [row] = platform_connection.rows(
        """SELECT CAST('infinity' AS date) AS a, CAST('20266-03-01' AS date) AS b, CAST('0044-03-15 BC' AS date) AS c,
                  CAST('24:00' AS time) AS d, CAST('-infinity' AS timestamp) AS e,
                  CAST('20266-03-01' AS timestamptz) AS f, CAST(%(deep)s AS jsonb) AS g""",
        {"deep": _DEEP},
    )

    assert set(row) == {None}


def test_what_it_can_is_loaded(platform_connection: PlatformConnection) -> None:
    [row] = platform_connection.rows(
        """SELECT CAST('9999-12-31' AS date) AS a, CAST('23:59:59.5' AS time) AS b,
                  CAST('0001-01-01 00:00:01' AS timestamp) AS c, CAST('2026-10-26 01:30Z' AS timestamptz) AS d,
                  CAST(NULL AS date) AS e, CAST('{"a": [1]}' AS json) AS f"""
    )

    assert tuple(row) == (
        date(9999, 12, 31),
        time(23, 59, 59, 500_000),
        datetime(1, 1, 1, 0, 0, 1),  # noqa: DTZ001 - the column has no zone
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
        None,
        {"a": [1]},
    )
