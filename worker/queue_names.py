"""The queues of an installation, and those that a worker consumes."""

from collections.abc import Sequence

from worker.errors import Misconfigured
from worker.settings import Settings


def spool_queue(spool_id: str) -> str:
    """The queue of media jobs for workers that see this spool."""
    return f"media.{spool_id}"


def queue_names(settings: Settings) -> tuple[str, ...]:
    """All queues: short jobs, messages, media jobs for any machine, and media jobs for this spool's machine."""
    return ("default", "reminders", "media", spool_queue(settings.spool_id))


def queues_of(kinds: Sequence[str], settings: Settings) -> tuple[str, ...]:
    """The queues a worker of these kinds consumes: `media` stands for both media queues. Raises Misconfigured."""
    known = queue_names(settings)
    names = {name.strip() for name in kinds}
    if "media" in names:
        names.add(spool_queue(settings.spool_id))
    unknown = names - set(known)
    if unknown:
        raise Misconfigured(f"There is no queue {', '.join(sorted(unknown))}. The queues are {', '.join(known)}.")
    return tuple(name for name in known if name in names)
