"""A plain connection to RabbitMQ for health checks: used by the API and `astegni doctor`."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from amqp.exceptions import AccessRefused, NotAllowed
from kombu import Connection

from worker.broker_address import BrokerAddress
from worker.errors import Misconfigured, Unavailable


@contextmanager
def rabbitmq_connection(address: BrokerAddress, *, seconds: float) -> Iterator[Connection]:
    """A connection that waited at most `seconds` for each response, and did not retry.

    Raises Misconfigured when RabbitMQ refuses the login or has another certificate, Unavailable when it is away.
    """
    with Connection(address.url, ssl=address.tls_options or False, connect_timeout=seconds) as connection:
        try:
            # As the transport raises them: kombu's own error would no longer say which it was.
            connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)
            yield connection
        except AccessRefused as error:
            raise Misconfigured("The broker of REDIS_URL answers and refuses the user or password.") from error
        except NotAllowed as error:
            raise Misconfigured(
                "The broker of REDIS_URL answers and refuses the virtual host: it does not exist, or is closed to "
                "the user."
            ) from error
        except ssl.SSLError as error:
            raise Misconfigured(
                "The broker's certificate is not trusted, or names another host. Set REDIS_CA_FILE, or correct it."
            ) from error
        except (*connection.connection_errors, *connection.channel_errors) as error:
            raise Unavailable(f"The broker of REDIS_URL does not answer ({type(error).__name__}).") from error
