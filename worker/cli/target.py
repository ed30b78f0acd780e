"""The target of a command: the servers of the environment, else the stack that `astegni up` runs on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from worker.cli.runfile import newest_stack
from worker.errors import AstegniError, Busy, Misconfigured, Unavailable
from worker.refused_login import READ_ONLY, accepts_no_changes, refused_login
from worker.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.exc import SQLAlchemyError


def settings_of_stack() -> Settings:
    """Settings with a DATABASE_URL: the environment's, else the running stack's. Raises Misconfigured."""
    settings = Settings()
    facts = newest_stack()
    if settings.database_url is None and facts is not None:
        return settings.model_copy(update={"database_url": facts["database_url"]})
    return settings


def settings_with_stack() -> tuple[Settings, str | None]:
    """The environment's settings, completed by those of the running stack, and the address of the stack's API.

    The address is None when nothing was taken from a stack. Raises Misconfigured.
    """
    settings = Settings()
    facts = newest_stack()
    if facts is None:
        return settings, None
    b2, mailbox = facts.get("b2") or {}, facts.get("mailbox") or {}
    values: dict[str, Any] = {"database_url": facts.get("database_url"), "redis_url": facts.get("redis_url")}
    if settings.database_url is None and "spool_dir" in facts:
        values["spool_dir"] = Path(facts["spool_dir"])
    if settings.backblaze_key_id is None:
        values |= {
            "backblaze_key_id": b2.get("key_id"),
            "backblaze_application_key": SecretStr(b2.get("application_key") or ""),
            "backblaze_realm": b2.get("realm"),
            "backblaze_bucket_name": b2.get("bucket"),
        }
    if settings.smtp_host is None and mailbox:
        host, _, port = str(mailbox.get("smtp")).rpartition(":")
        values |= {"smtp_host": host, "smtp_port": int(port)}
    missing = {name: value for name, value in values.items() if name not in settings.model_fields_set and value}
    return settings.model_copy(update=missing), str(facts.get("api")) if missing else None


def api_of_stack(api: str | None, token: str | None) -> tuple[str, str]:
    """Address of the API and a token for it: the given ones, else those of the running stack."""
    facts: dict[str, Any] = newest_stack() or {}
    address, bearer = api or facts.get("api"), token or facts.get("operator_token")
    if address is None or bearer is None:
        raise Misconfigured(
            "No API to talk to. Set ASTEGNI_API_URL and ASTEGNI_TOKEN (see `astegni token`), or run `astegni up`."
        )
    return address.rstrip("/"), bearer


def database_errors() -> "type[SQLAlchemyError]":
    """The class of all errors of the database. Importing SQLAlchemy takes half a second, which most commands avoid."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - a heavy import

    return SQLAlchemyError


def database_error(error: "SQLAlchemyError") -> AstegniError:
    """The error to show at a terminal for a database error. Never its own text, which may contain the address."""
    from psycopg.errors import DeadlockDetected, InsufficientPrivilege, LockNotAvailable  # noqa: PLC0415 - heavy imports
    from sqlalchemy.exc import ArgumentError, ProgrammingError  # noqa: PLC0415

    if isinstance(error, ArgumentError):
        return Misconfigured(
            "DATABASE_URL is not the address of a PostgreSQL database, like postgresql://user:password@host/name."
        )
    match getattr(error, "orig", None):
        case InsufficientPrivilege() as refused:
            return Misconfigured(
                f"The role of DATABASE_URL may not do what this command needs: {refused.diag.message_primary}. Use the "
                "role that owns the tables, as the workers do."
            )
        case LockNotAvailable() | DeadlockDetected():
            return Busy("Another transaction holds a lock that this command needs; try again.")
    if isinstance(error, ProgrammingError):
        return Misconfigured("The database does not have this release's tables. Run `astegni migrate`.")
    if accepts_no_changes(error):
        return Unavailable(f"The database of DATABASE_URL {READ_ONLY}.")
    refusal = refused_login(error)
    if refusal is not None:
        return Misconfigured(f"The database of DATABASE_URL answers and refuses: {refusal}.")
    return Unavailable(f"The database of DATABASE_URL does not answer ({type(error).__name__}).")
