"""The service checks of `astegni doctor`: each returns a sentence, or raises an error that names the fault."""

import ssl
from typing import TYPE_CHECKING, Any

from worker.cli.platform_findings import platform_findings
from worker.cli.target import database_error, database_errors
from worker.errors import AstegniError, Misconfigured, Unavailable
from worker.settings import Settings

if TYPE_CHECKING:
    from worker.platform.check import Finding

_LEVELS = ("CANNOT", "WARNING")
# RFC 8314 §7.3: TLS from the first byte.
_SMTP_OVER_TLS = 465
_SECONDS = 5.0
# Tokens and messages tolerate this much.
_CLOCK_OFFSET = 10.0


class Doubtful(AstegniError):
    """The service works, but needs attention."""

    code, title = "doubtful", "Doubtful"


def check_database(settings: Settings) -> str:
    """Check PostgreSQL, its tables, and that its clock and this machine's agree."""
    from worker.migrate import current, newest_revision  # noqa: PLC0415 - only when asked

    if settings.database_url is None:
        return "DATABASE_URL is not set: `astegni up` brings its own"
    try:
        revision, newest = current(settings.sqlalchemy_url), newest_revision()
        offset = _clock_offset(settings)
    except database_errors() as error:
        raise database_error(error) from error
    if revision != newest:
        raise Misconfigured(f"The database is at revision {revision} and not {newest}. Run `astegni migrate`.")
    if abs(offset) > _CLOCK_OFFSET:
        raise Doubtful(f"This machine's clock is {offset:+.0f} s off the database's. Run NTP on both.")
    return f"at revision {revision}"


def check_processes(settings: Settings) -> str:
    """Check that workers and beat have shown life, and that jobs go through the queues."""
    from worker.database import DATABASE_ERRORS, Database  # noqa: PLC0415 - only when asked
    from worker.jobs.silent_parts import read_silent_parts  # noqa: PLC0415
    from worker.queue_names import queue_names  # noqa: PLC0415

    if settings.database_url is None:
        return "DATABASE_URL is not set: `astegni up` starts them"
    database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        with database.statement() as statement:
            silent = read_silent_parts(statement, settings, queue_names(settings))
    except DATABASE_ERRORS as error:
        # The database has a line of its own.
        raise Doubtful("Not known while the database cannot be read.") from error
    finally:
        database.close()
    if silent is None:
        raise Doubtful("No worker and no beat has run within a day. Start `astegni worker` and `astegni beat`.")
    if silent:
        raise Misconfigured(f"{'; '.join(silent)}. Start what has ended; the log of what runs says loop_failed.")
    return f"workers and beat run; jobs go through {', '.join(queue_names(settings))}"


def _clock_offset(settings: Settings) -> float:
    import time  # noqa: PLC0415 - only when asked

    from sqlalchemy import text  # noqa: PLC0415

    from worker.database import Database  # noqa: PLC0415

    database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        with database.transaction() as session:
            theirs = session.scalars(text("SELECT extract(epoch FROM clock_timestamp())::float")).one()
            return time.time() - float(theirs)
    finally:
        database.close()


def check_platform_people(settings: Settings) -> str:
    """Check that people of the platform can be read, with the findings of `astegni platform check`."""
    if settings.platform_database_url is None:
        return "PLATFORM_DATABASE_URL is not set: people are our own"
    findings = list(platform_findings(settings))
    texts = {level: "; ".join(finding.text for finding in findings if _level(finding) == level) for level in _LEVELS}
    if texts["CANNOT"]:
        raise Misconfigured(f"{texts['CANNOT']}.")
    if texts["WARNING"]:
        raise Doubtful(f"{texts['WARNING']}.")
    return findings[0].text


def _level(finding: "Finding") -> str:
    # People come in without a proven zone; lessons and boards wait.
    return "WARNING" if finding.subject == "zone" and finding.level == "CANNOT" else finding.level


def check_broker(settings: Settings) -> str:
    """Check Redis with the client that every process uses; for RabbitMQ only that it accepts a connection."""
    if settings.redis_url is None:
        return "REDIS_URL is not set: `astegni up` brings its own"
    address = settings.broker
    return _redis(settings) if address.is_redis else _rabbit(settings)


def _redis(settings: Settings) -> str:
    import redis  # noqa: PLC0415 - only when asked

    from worker.processes.broker_client import redis_client  # noqa: PLC0415

    try:
        with redis_client(settings.broker, seconds=_SECONDS) as client:
            version = client.info("server")["redis_version"]
            policy = _eviction_policy(client)
    except redis.AuthenticationError as error:
        raise Misconfigured("The broker of REDIS_URL answers and refuses the user or password.") from error
    except redis.exceptions.NoPermissionError as error:
        raise Misconfigured("The broker's user may not do what is needed: see ACL SETUSER.") from error
    except (redis.RedisError, OSError) as error:
        if isinstance(error.__context__, ssl.SSLError) or "CERTIFICATE_VERIFY" in str(error):
            raise Misconfigured(
                "The broker's certificate is not trusted, or is another host's. Set REDIS_CA_FILE, or mend the host."
            ) from error
        raise Unavailable(f"The broker of REDIS_URL does not answer ({type(error).__name__}).") from error
    if policy not in {None, "noeviction"}:
        raise Misconfigured(f"The broker may drop messages: set its maxmemory-policy to noeviction, not {policy}.")
    return f"Redis {version}"


def _eviction_policy(client: Any) -> str | None:
    """The policy; None where the user is not permitted to read it: then the operator must check it."""
    import redis  # noqa: PLC0415 - only when asked

    try:
        policy = client.config_get("maxmemory-policy").get("maxmemory-policy")
    except redis.ResponseError:
        return None
    return None if policy is None else str(policy)


def _rabbit(settings: Settings) -> str:
    from kombu import Connection  # noqa: PLC0415 - only when asked

    address = settings.broker
    link = Connection(address.url, ssl=address.tls_options or False, connect_timeout=_SECONDS)
    try:
        with link:
            link.connect()
    except (*link.connection_errors, *link.channel_errors) as error:
        raise Unavailable(f"The broker of REDIS_URL does not answer ({type(error).__name__}).") from error
    return "RabbitMQ answers"


def check_storage(settings: Settings) -> str:
    """Check the key, the bucket, and settings of the bucket that would harm lessons."""
    from worker.storage.inspection import inspect_bucket  # noqa: PLC0415 - only when asked
    from worker.storage.store import ObjectStore  # noqa: PLC0415

    if settings.backblaze_key_id is None:
        return "BACKBLAZE_KEY_ID is not set: `astegni up` brings an emulator"
    ObjectStore.from_settings(settings).prepare_bucket()
    faults, doubts = inspect_bucket(settings)
    name = f"bucket {settings.backblaze_bucket_name} of {settings.backblaze_realm}"
    if faults:
        raise Misconfigured(f"{name}: {'; '.join(faults)}.")
    if doubts:
        raise Doubtful(f"{name}: {'; '.join(doubts)}.")
    if settings.database_url is not None:
        _check_owner(settings)
    return name


def _check_owner(settings: Settings) -> None:
    """Raises ForeignBucket; a database that does not answer has a line of its own."""
    from worker.database import AWAY, Database  # noqa: PLC0415 - only when asked
    from worker.workflows.own_bucket import own_store  # noqa: PLC0415

    database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        own_store(settings, database)
    except AWAY:
        return
    finally:
        database.close()


def check_mail(settings: Settings) -> str:
    """Check that the mail server responds."""
    import smtplib  # noqa: PLC0415 - only when asked

    if settings.smtp_host is None:
        return "SMTP_HOST is not set: `astegni up` brings a mailbox"
    kind = smtplib.SMTP_SSL if settings.smtp_port == _SMTP_OVER_TLS else smtplib.SMTP
    try:
        with kind(settings.smtp_host, settings.smtp_port, timeout=_SECONDS) as server:
            server.ehlo_or_helo_if_needed()
    except (OSError, smtplib.SMTPException) as error:
        raise Unavailable(f"The mail server of SMTP_HOST does not answer ({type(error).__name__}).") from error
    return f"{settings.smtp_host}:{settings.smtp_port} answers"
