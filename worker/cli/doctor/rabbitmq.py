"""RabbitMQ: whether it responds, and whether its queues are as this release declares them."""

import re
from typing import Any

from worker.cli.doctor.check_warning import raise_findings
from worker.queue_names import queue_names
from worker.settings import Settings

# The first version with the queue argument `x-consumer-timeout`.
_KNOWS_TIMEOUTS = (3, 12)


def check_rabbitmq(settings: Settings, *, seconds: float) -> str:
    """Compare existing queues with our declaration; workers create those that are missing."""
    from worker.processes.rabbitmq_client import rabbitmq_connection  # noqa: PLC0415 - for this check

    with rabbitmq_connection(settings.broker, seconds=seconds) as link:
        version = _text(link.connection.server_properties.get("version", "of an unknown version"))
        faults = [fault for name in queue_names(settings) if (fault := _fault_of(link, name)) is not None]
    raise_findings(faults, _warnings(version))
    return f"RabbitMQ {version} answers, and waits for the longest job"


def _fault_of(link: Any, name: str) -> str | None:
    """What is wrong with a queue; None when nothing is, or when it does not exist yet."""
    from worker.processes.broker import QUEUE_ARGUMENTS  # noqa: PLC0415 - for this check

    try:
        # A refusal closes the channel, so each declaration has its own.
        link.channel().queue_declare(name, passive=True)
        link.channel().queue_declare(name, durable=True, auto_delete=False, arguments=QUEUE_ARGUMENTS)
    except link.channel_errors as error:
        match error.reply_code:
            case 404:
                return None
            case 406:
                return (
                    f"the queue {name} was declared by another release: stop all workers, delete it (`rabbitmqctl"
                    f" delete_queue {name}`), and start them again"
                )
            case 403:
                return f"the broker's user may not declare the queue {name}: it needs to configure, write and read"
        raise
    return None


def _warnings(version: str) -> list[str]:
    numbers = tuple(map(int, re.findall(r"[0-9]+", version)[:2]))
    if numbers >= _KNOWS_TIMEOUTS:
        return []
    warning = (
        f"RabbitMQ {version} does not know how long our queues let a job take, and what it waits for is not seen from"
        " here: set consumer_timeout in its rabbitmq.conf (docs/operations.md), or upgrade to 3.12"
    )
    return [warning]


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
