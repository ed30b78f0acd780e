"""Make and drop the databases of a PostgreSQL server, embedded or not."""

from typing import LiteralString
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


def with_database(url: str, database: str) -> str:
    """`url` naming another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def connect(admin_url: str) -> psycopg.Connection:
    """A connection of a superuser's for the functions below. To open one costs half as much as what they do."""
    return psycopg.connect(admin_url, autocommit=True)


def create_database(admin: psycopg.Connection, name: str, template: str | None = None) -> None:
    """Create a database, as a clone of `template` when given (nobody may be connected to that).

    A clone is copied file by file: for a small template that is faster than the default, which logs every page.
    """
    if template is None:
        _run(admin, "CREATE DATABASE {}", name)
    else:
        _run(admin, "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)


def drop_database(admin: psycopg.Connection, name: str) -> None:
    """Drop a database if it is there, and end the connections that it still has."""
    _run(admin, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def database_exists(admin: psycopg.Connection, name: str) -> bool:
    """Whether the server has a database of that name."""
    return admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _run(admin: psycopg.Connection, statement: LiteralString, *names: str) -> None:
    admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
