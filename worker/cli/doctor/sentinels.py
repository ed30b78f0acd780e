"""Whether the Sentinels of REDIS_URL answer, know the master, and could replace it."""

import ssl
from typing import Any

from worker.errors import Unavailable
from worker.sentinels import Sentinels


def sentinel_findings(sentinels: Sentinels, *, seconds: float) -> tuple[list[str], list[str]]:
    """Faults and warnings about the Sentinels. Raises Unavailable when none of them answers."""
    from worker.processes.sentinel_client import sentinel_client  # noqa: PLC0415 - for this check

    client = sentinel_client(sentinels, seconds=seconds, connect_seconds=seconds)
    try:
        answers = [_ask(node, sentinels.master_name) for node in client.sentinels]
    finally:
        client.close()
    silent = answers.count(None)
    if silent == len(answers):
        raise Unavailable("None of the Sentinels of REDIS_URL answers.")
    faults = sorted({answer for answer in answers if answer})
    return faults, [f"of {len(answers)} Sentinels {silent} do not answer"] if silent else []


def _ask(node: Any, master_name: str) -> str | None:
    """What is wrong with a Sentinel, "" when nothing is; None when it does not answer."""
    import redis  # noqa: PLC0415 - for this check

    try:
        node.execute_command("SENTINEL", "CKQUORUM", master_name)
    except redis.AuthenticationError:
        return "a Sentinel refuses its password: set REDIS_SENTINEL_PASSWORD to its requirepass"
    except (redis.ConnectionError, redis.TimeoutError) as error:
        if isinstance(error.__context__, ssl.SSLCertVerificationError):
            return "a Sentinel's certificate is not trusted, or names another host: set REDIS_CA_FILE, or correct it"
        return None
    except redis.ResponseError as error:
        if str(error).startswith("NOQUORUM"):
            return "too few Sentinels answer one another to replace the master when it is lost"
        return f"a Sentinel knows no master {master_name}: set REDIS_MASTER_NAME as its `sentinel monitor` has it"
    return ""
