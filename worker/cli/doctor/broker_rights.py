"""Whether the broker's user (ACL) may run Celery's commands: each is tried on separate keys, which are then deleted."""

import secrets
from typing import Any

# The prefix of all keys (worker/celery_settings.py).
_PREFIX = "astegni:"
_REMEDY = "ACL SETUSER … ~astegni:* &* +@read +@write +@connection +@transaction +@scripting +@pubsub +info +time"
_SECONDS = 5.0


def missing_rights(client: Any) -> str | None:
    """A sentence with the commands that the user may not run; None when all are permitted."""
    refused = [
        command
        for command, *words in _commands(f"{_PREFIX}doctor:{secrets.token_hex(8)}")
        if not _is_permitted(client, command, *words)
    ]
    if not _may_subscribe(client):
        refused.append("SUBSCRIBE")
    if not refused:
        return None
    return (
        f"the broker's user may not use {', '.join(refused)} on keys {_PREFIX}*: give it what is missing of {_REMEDY}"
    )


def _commands(key: str) -> tuple[tuple[str, ...], ...]:
    """Commands of kombu and Celery: queues, bindings, unacknowledged messages, a lock, events. The last deletes all."""
    queue, members, scores, table, lock = (f"{key}:{name}" for name in ("queue", "set", "scores", "table", "lock"))
    return (
        ("LPUSH", queue, "1"),
        ("LLEN", queue),
        ("BRPOP", queue, "1"),
        ("SADD", members, "1"),
        ("SMEMBERS", members),
        ("ZADD", scores, "1", "1"),
        ("ZREVRANGEBYSCORE", scores, "2", "0"),
        ("ZREM", scores, "1"),
        ("HSET", table, "1", "1"),
        ("HGET", table, "1"),
        ("HDEL", table, "1"),
        ("SET", lock, "1", "NX", "EX", "10"),
        ("EVAL", "return 1", "0"),
        ("PUBLISH", f"{key}:events", "1"),
        ("DEL", queue, members, scores, table, lock),
    )


def _is_permitted(client: Any, *words: str) -> bool:
    import redis  # noqa: PLC0415 - for this check

    try:
        client.execute_command(*words)
    except redis.exceptions.NoPermissionError:
        return False
    return True


def _may_subscribe(client: Any) -> bool:
    import redis  # noqa: PLC0415 - for this check

    with client.pubsub() as channel:
        try:
            channel.psubscribe(f"{_PREFIX}doctor")
            channel.get_message(timeout=_SECONDS)
        except redis.exceptions.NoPermissionError:
            return False
    return True
