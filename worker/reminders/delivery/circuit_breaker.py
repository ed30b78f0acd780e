"""A circuit breaker for each provider: after consecutive failures it is not called for a while."""

from dataclasses import dataclass

# Consecutive failures. One that took long counts for several: others may wait behind it.
_MANY = 5
_WAITED_FOR = 3
# Seconds.
_LONG = 5.0
# Seconds of pause after them, doubled with each further failure.
_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 300.0
# Addresses come from users: the table of failing ones is bounded. A forgotten one is called again.
_MOST_PROVIDERS = 1000


@dataclass
class _Record:
    failures: int = 0
    open_until: float = 0.0


class CircuitBreaker:
    """The state of a child process's breakers, by provider (`email:smtp.example.org`). Times are monotonic seconds.

    After a pause one message is tried; its failure starts the next, longer pause.
    """

    def __init__(self) -> None:
        self._failing: dict[str, _Record] = {}

    def seconds_open(self, provider: str, now: float) -> float:
        """Seconds for which the provider must not be called; 0: it may be."""
        record = self._failing.get(provider)
        return max(0.0, record.open_until - now) if record else 0.0

    def record_failure(self, provider: str, now: float, *, took: float = 0.0) -> None:
        """The provider did not respond, or asked for a pause; finding out `took` so many seconds."""
        record = self._failing.setdefault(provider, _Record())
        record.failures += _WAITED_FOR if took >= _LONG else 1
        if record.failures >= _MANY:
            record.open_until = now + min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(record.failures - _MANY, 10))
        if len(self._failing) > _MOST_PROVIDERS:
            del self._failing[next(iter(self._failing))]

    def record_success(self, provider: str) -> None:
        """The provider responded, in whatever way."""
        self._failing.pop(provider, None)
