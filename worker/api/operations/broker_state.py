"""Whether the broker responds, for `/readyz` and `/metrics`. Neither waits long: requests do not need the broker."""

import redis

from worker.errors import Misconfigured
from worker.processes.broker_client import redis_client
from worker.settings import Settings

OK = "ok"
_SECONDS = 1.0


def broker_state(settings: Settings) -> str:
    """`ok`, or what is wrong."""
    if settings.redis_url is None:
        return "is not set"
    try:
        address = settings.broker
        if not address.is_redis:
            return "is not asked: REDIS_URL names another kind of broker"
        with redis_client(address, seconds=_SECONDS) as link:
            link.ping()
    except Misconfigured as error:
        return error.detail
    except redis.AuthenticationError:
        return "refuses the login of REDIS_URL; jobs are queued all the same"
    except (redis.RedisError, OSError):
        return "does not answer; jobs are queued all the same"
    return OK
