"""The broker: its address and login, what its user may do, whether it may lose messages, and its clock."""

import ssl
import time
from typing import Any

from worker.cli.doctor.broker_rights import missing_rights
from worker.cli.doctor.check_warning import raise_findings
from worker.cli.doctor.database import CLOCK_OFFSET, read_server
from worker.cli.doctor.rabbitmq import check_rabbitmq
from worker.cli.doctor.sentinels import sentinel_findings
from worker.cli.target import database_errors
from worker.errors import Misconfigured, Unavailable
from worker.settings import Settings

_SECONDS = 5.0
_OLDEST = 7
# Parts of its responses, and what each of them means.
_REFUSALS = (
    ("read only replica", "it is a replica, which takes no messages: name the master, or its Sentinels"),
    ("maxmemory", "it is full: raise its maxmemory, or find out what fills it"),
    ("MISCONF", "it cannot save to its disk: see its log"),
    ("DB index is out of range", "it has no database of this number"),
)


def check_broker(settings: Settings) -> str:
    """Check Redis with the client that every process uses, or RabbitMQ (rabbitmq.py)."""
    if settings.redis_url is None:
        return "REDIS_URL is not set: `astegni up` brings its own"
    return _redis(settings) if settings.broker.is_redis else check_rabbitmq(settings, seconds=_SECONDS)


def _redis(settings: Settings) -> str:
    import redis  # noqa: PLC0415 - for this check

    from worker.processes.broker_client import redis_client  # noqa: PLC0415

    sentinels, warnings_of_sentinels = settings.broker.sentinels, list[str]()
    if sentinels is not None:
        faults, warnings_of_sentinels = sentinel_findings(sentinels, seconds=_SECONDS)
        raise_findings(faults, [])
    try:
        with redis_client(settings.broker, seconds=_SECONDS) as client:
            client.ping()
            faults = [] if (missing := missing_rights(client)) is None else [missing]
            facts, offset = _info(client), _clock_behind(client)
    except redis.AuthenticationError as error:
        raise Misconfigured("The broker of REDIS_URL answers and refuses the user or password.") from error
    except redis.ResponseError as error:
        raise Misconfigured(f"The broker of REDIS_URL answers and refuses: {_refusal(error)}.") from error
    except (redis.RedisError, OSError) as error:
        if isinstance(error.__context__, ssl.SSLError) or "CERTIFICATE_VERIFY" in str(error):
            raise Misconfigured(
                "The broker's certificate is not trusted, or names another host. Set REDIS_CA_FILE, or correct it."
            ) from error
        raise Unavailable(f"The broker of REDIS_URL does not answer ({type(error).__name__}).") from error
    of_facts, warnings = info_findings(facts)
    raise_findings(faults + of_facts, warnings_of_sentinels + warnings + _clock_warnings(settings, offset))
    return (
        f"{facts.get('server_name', 'redis').capitalize()} {_version(facts)}, keeps what it has, and its clock is right"
    )


def _refusal(error: Any) -> str:
    """Why it refuses, without its own text, which may repeat a login."""
    text = str(error)
    return next((meaning for words, meaning in _REFUSALS if words in text), f"{type(error).__name__}, see its log")


def info_findings(facts: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Faults and warnings about the reply to INFO, which is empty when the user may not run it."""
    if not facts:
        return [], ["the broker's user may not ask for INFO: maxmemory-policy must be noeviction and appendonly yes"]
    faults, warnings = [], []
    policy = facts.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        faults.append(f"the broker may drop messages: set its maxmemory-policy to noeviction, not {policy}")
    if not facts.get("aof_enabled"):
        warnings.append(
            "the broker forgets its messages when it restarts, and their jobs wait for up to ten minutes:"
            " set appendonly to yes"
        )
    if int(str(_version(facts)).split(".", 1)[0]) < _OLDEST:
        warnings.append(f"version {_version(facts)} is older than {_OLDEST}, the oldest that was tested")
    return faults, warnings


def _version(facts: dict[str, Any]) -> Any:
    """Valkey's own version when it is Valkey, whose `redis_version` is always 7.2."""
    return facts.get("valkey_version", facts.get("redis_version", "of an unknown version"))


def _info(client: Any) -> dict[str, Any]:
    """The reply to INFO, which managed servers permit where they refuse CONFIG; empty when the user may not run it."""
    import redis  # noqa: PLC0415 - for this check

    try:
        return dict(client.info())
    except redis.exceptions.NoPermissionError:
        return {}


def _clock_behind(client: Any) -> float:
    """Seconds by which its clock is behind this machine's; 0 when the user may not run TIME."""
    import redis  # noqa: PLC0415 - for this check

    try:
        seconds, micros = client.time()
    except redis.exceptions.NoPermissionError:
        return 0.0
    return time.time() - float(seconds + micros / 1_000_000)


def _clock_warnings(settings: Settings, behind: float) -> list[str]:
    """A sentence when its clock differs from PostgreSQL's, or, where that cannot be read, from this machine's."""
    other = "this machine's"
    if settings.database_url is not None:
        try:
            behind, other = behind - read_server(settings).clock_behind, "the database's"
        except database_errors():
            # The database has its own check.
            pass
    return (
        [f"the broker's clock is {-behind:+.0f} s off {other}: run NTP on both"] if abs(behind) > CLOCK_OFFSET else []
    )
