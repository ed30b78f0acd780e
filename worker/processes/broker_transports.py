"""Make kombu use our transports."""

from kombu.transport import TRANSPORT_ALIASES

from worker.broker_address import BrokerAddress
from worker.processes import redis_transport, sentinel_transport


def install_transports(broker: BrokerAddress) -> None:
    """Use our transports for this process's Redis; call it before the first connection."""
    one_server = f"{redis_transport.__name__}:{redis_transport.RedisTransport.__name__}"
    behind_sentinel = f"{sentinel_transport.__name__}:{sentinel_transport.SentinelTransport.__name__}"
    TRANSPORT_ALIASES.update(redis=one_server, rediss=one_server, sentinel=behind_sentinel)
    sentinel_transport.SentinelChannel.sentinels = broker.sentinels
