"""Report crashes by Sentry's SDK, without anything that it would add by itself."""

from importlib.metadata import version
from typing import Any

from sentry_sdk.client import Client

_SEND_SECONDS = 3
# The only fields of an event; the SDK would add the host's name, the interpreter and the command line.
_FIELDS = frozenset({"event_id", "timestamp", "level", "platform", "exception", "tags", "release", "environment"})


class SentryReporter:
    """The crash reports of one process; create it after a fork. Its thread starts with the first report."""

    def __init__(self, dsn: str, process: str) -> None:
        self._process = process
        self._client = Client(
            dsn=dsn,
            release=f"astegni-worker@{version('astegni-worker')}",
            default_integrations=False,
            auto_enabling_integrations=False,
            include_local_variables=False,
            include_source_context=False,
            max_breadcrumbs=0,
            shutdown_timeout=_SEND_SECONDS,
            before_send=_listed_fields,
            auto_session_tracking=False,
            send_client_reports=False,
        )

    def send(self, event: dict[str, Any]) -> None:
        """See `worker.tracing.crashes.CrashReporter`."""
        self._client.capture_event({**event, "tags": {**event["tags"], "process": self._process}})  # type: ignore[typeddict-item]

    def close(self) -> None:
        """Send the remaining reports and end the thread."""
        self._client.close()


def _listed_fields(event: Any, _hint: Any) -> Any:
    return {name: value for name, value in event.items() if name in _FIELDS}
