"""What an order is: a small frozen value that has a kind, a queue and limits.

The code that requests the work writes an order into the ledger and the task reads it, so neither imports the other. Its
fields are ids and plain values, serialised as JSON.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

from worker.errors import Conflict

# Every order class of the process by kind; use `order_type` of worker/jobs/orders/registered.py, which has loaded ours.
REGISTERED: dict[str, type["Order"]] = {}
# The lane of jobs that may take minutes and that nobody waits for on screen.
BACKGROUND = "background"
# Seconds until a job is tried again that this release cannot read: workers of two releases run during an upgrade.
_OTHER_RELEASE = 60


class UnreadableArguments(Conflict):
    """A job's arguments are those of another release: only that one can run the job, or do what its end requires."""

    code, title, retryable = "unreadable-arguments", "Arguments of another release", True


@dataclass(frozen=True)
class Order:
    """The base of all orders. A subclass names its `kind`; everything else has a sensible default."""

    # Also the name of the Celery task: `capability.verb`.
    kind: ClassVar[str]
    max_attempts: ClassVar[int] = 5
    # How many workers in a row it may crash before it is given up.
    most_lost: ClassVar[int] = 5
    # 0 has the highest priority.
    priority: ClassVar[int] = 5

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if "kind" in cls.__dict__:  # a base class of several kinds has none
            REGISTERED[cls.kind] = cls

    @property
    def queue(self) -> str:
        """The queue whose workers can run this."""
        return "default"

    @property
    def lane(self) -> str | None:
        """Jobs of one lane take at most half of a worker's children (worker/jobs/runs/lanes.py); None: not limited."""
        return self.kind if self.queue.startswith("media") else None

    @property
    def weight(self) -> int:
        """Its size relative to other jobs of its lane; 0: unknown."""
        return 0

    @property
    def time_limit(self) -> int:
        """Seconds one attempt may take before it is interrupted."""
        return 270

    @property
    def subject(self) -> str | None:
        """The thing it is about, like `recording:12`."""
        return None

    @property
    def unique_key(self) -> str | None:
        """At most one live job has a given key; None for orders of which several may be live."""
        return None

    def args(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_args(cls, args: dict[str, Any]) -> Self:
        """The order from which `args()` was made. Raises UnreadableArguments."""
        try:
            return cls(**args)
        except TypeError as error:
            differing = ", ".join(sorted(args.keys() ^ {field.name for field in fields(cls)}))
            raise UnreadableArguments(
                f"The arguments of this {cls.kind} are those of another release, which differs in {differing}. "
                "Only that release can run or cancel it.",
                retry_after=_OTHER_RELEASE,
            ) from error


@dataclass(frozen=True)
class LongOrder(Order):
    """An order that may take half an hour and that nobody waits for on screen."""

    @property
    def lane(self) -> str:
        return BACKGROUND

    @property
    def time_limit(self) -> int:
        return 1800


@dataclass(frozen=True)
class RoutineOrder(Order):
    """An order that the timetable repeats: one job at a time, and a failed one is followed by the next anyway."""

    max_attempts: ClassVar[int] = 2

    @property
    def unique_key(self) -> str:
        return self.kind
