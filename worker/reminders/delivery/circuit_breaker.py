"""A circuit breaker for each provider: after consecutive failures it is not called for a while."""

from dataclasses import dataclass

# Consecutive failures that open the breaker. A slow failure counts for several: others may wait behind it.
_MANY = 5
_WAITED_FOR = 3
# Seconds from which a failure is slow.
_LONG = 5.0
# Seconds of the first pause, doubled with each further failure, and of the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 300.0
# Addresses come from users, so the table of failing providers is bounded. An evicted provider is called again.
_MAX_PROVIDERS = 1000


@dataclass
class _Record:
    failures: int = 0
    open_until: float = 0.0


class CircuitBreaker:
    """The state of a child process's breakers, by provider (`email:smtp.example.org`). Times are monotonic seconds.

    After a pause one message is tried; if it fails, a longer pause follows.
    """

    def __init__(self) -> None:
        self._failing: dict[str, _Record] = {}

    def seconds_open(self, provider: str, now: float) -> float:
        """For how many seconds the provider must not be called; 0 if it may be."""
        record = self._failing.get(provider)
        return max(0.0, record.open_until - now) if record else 0.0

    def record_failure(self, provider: str, now: float, *, took: float = 0.0) -> None:
        """Record that the provider did not respond, or asked for a pause; it `took` that many seconds to fail."""
        record = self._failing.setdefault(provider, _Record())
        record.failures += _WAITED_FOR if took >= _LONG else 1
        if record.failures >= _MANY:
            record.open_until = now + min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(record.failures - _MANY, 10))
        if len(self._failing) > _MAX_PROVIDERS:
            del self._failing[next(iter(self._failing))]

    def record_success(self, provider: str) -> None:
        """Record that the provider responded, whatever it said."""
        self._failing.pop(provider, None)
