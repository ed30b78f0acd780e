"""Start and end the tracing of a process, according to its settings."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from worker.errors import Misconfigured
from worker.settings import Settings
from worker.tracing.crashes import report_to
from worker.tracing.spans import trace_to

_SPANS, _CRASHES = "worker.tracing.otlp_tracer", "worker.tracing.sentry_reporter"


def load_packages(settings: Settings) -> None:
    """Import the packages that these settings need: before a fork, since each child would need half a second for it.

    Raises Misconfigured when an optional package is missing.
    """
    if settings.otel_exporter_otlp_endpoint is not None:
        _load(_SPANS)
    if settings.sentry_dsn is not None:
        _load(_CRASHES)


class Tracing:
    """Spans and crash reports of a process from `start` to `stop`, if addresses are set. Start it after a fork."""

    def __init__(self, settings: Settings, process: str) -> None:
        self._settings = settings
        self._process = process
        self._closes: list[Callable[[], None]] = []

    def start(self) -> None:
        """Send this process's spans to the collector, and its crashes to Sentry, from now on."""
        endpoint, dsn = self._settings.otel_exporter_otlp_endpoint, self._settings.sentry_dsn
        if endpoint is not None:
            tracer = _load(_SPANS).OtlpTracer(endpoint, self._process)
            trace_to(tracer)
            self._closes.append(tracer.close)
        if dsn is not None:
            reporter = _load(_CRASHES).SentryReporter(dsn.get_secret_value(), self._process)
            report_to(reporter)
            self._closes.append(reporter.close)

    def stop(self) -> None:
        """Send the remaining spans and reports."""
        trace_to(None)
        report_to(None)
        for close in self._closes:
            close()


def _load(module: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise Misconfigured(
            f"OTEL_EXPORTER_OTLP_ENDPOINT or SENTRY_DSN is set, and {error.name} is not installed. "
            "Install the extra `tracing` (pip install 'astegni-worker[tracing]'), or unset it."
        ) from None
