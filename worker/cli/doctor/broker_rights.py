"""Whether the broker's user (ACL) may do what Celery does: tried on keys of our own, which are removed again."""

import secrets
from typing import Any

# The prefix of all keys (worker/celery_settings.py).
_PREFIX = "astegni:"
_REMEDY = "ACL SETUSER … ~astegni:* &* +@read +@write +@connection +@transaction +@scripting +@pubsub +info +time"
_SECONDS = 5.0


def missing_rights(client: Any) -> str | None:
    """A sentence that names the commands which the user may not use; None when there is none."""
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
    """What kombu and Celery use: queues, bindings, messages in hand, a lock, events. The last removes all."""
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
    import redis  # noqa: PLC0415 - only when asked

    try:
        client.execute_command(*words)
    except redis.exceptions.NoPermissionError:
        return False
    return True


def _may_subscribe(client: Any) -> bool:
    import redis  # noqa: PLC0415 - only when asked

    with client.pubsub() as channel:
        try:
            channel.psubscribe(f"{_PREFIX}doctor")
            channel.get_message(timeout=_SECONDS)
        except redis.exceptions.NoPermissionError:
            return False
    return True
