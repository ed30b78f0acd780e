"""Whether the broker answers, for `/readyz` and `/metrics`. Neither waits long for it: requests do not need it."""

import redis

from worker.settings import Settings

OK = "ok"
_SECONDS = 1.0


def broker_state(settings: Settings) -> str:
    """`ok`, or what is wrong."""
    if settings.redis_url is None:
        return "is not set"
    try:
        with redis.Redis.from_url(settings.redis_url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS) as link:
            link.ping()
    except redis.RedisError:
        return "does not answer; jobs are queued all the same"
    except ValueError:
        return "is not asked: REDIS_URL names another kind of broker"
    return OK
