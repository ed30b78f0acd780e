"""A connection to the platform that notes what it sends."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

from psycopg.sql import Composed

from worker.platform.connection import PlatformConnection, Row


class NotedConnection(PlatformConnection):
    """`statements` are all that were sent, in order; `afterwards` is called with each once its rows are read."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.statements: list[str] = []
        self.afterwards: Callable[[str], object] | None = None

    def rows(
        self, sql: LiteralString | Composed, values: Mapping[str, Any] | None = None, *, seconds: float = 3.0
    ) -> Sequence[Row]:
        statement = sql if isinstance(sql, str) else sql.as_string()
        rows = super().rows(sql, values, seconds=seconds)
        self.statements.append(statement)
        if self.afterwards is not None:
            self.afterwards(statement)
        return rows


@contextmanager
def noted_connection(url: str) -> Iterator[NotedConnection]:
    """One that is closed at the end of the block."""
    connection = NotedConnection(url)
    try:
        yield connection
    finally:
        connection.close()
