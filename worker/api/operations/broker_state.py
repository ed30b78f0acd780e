"""Whether the broker responds, for `/readyz` and `/metrics`. Neither waits long: requests do not need the broker."""

import redis

from worker.errors import Misconfigured, Unavailable
from worker.processes.broker_client import redis_client
from worker.processes.rabbitmq_client import rabbitmq_connection
from worker.settings import Settings

OK = "ok"
_SECONDS = 1.0


def broker_state(settings: Settings) -> str:
    """`ok`, or what is wrong."""
    if settings.redis_url is None:
        return "is not set"
    try:
        address = settings.broker
        if address.is_redis:
            with redis_client(address, seconds=_SECONDS) as link:
                link.ping()
        else:
            with rabbitmq_connection(address, seconds=_SECONDS):
                return OK
    except Misconfigured as error:
        return error.detail
    except redis.AuthenticationError:
        return "refuses the login of REDIS_URL; jobs are queued all the same"
    except (redis.RedisError, OSError, Unavailable):
        return "does not answer; jobs are queued all the same"
    return OK
