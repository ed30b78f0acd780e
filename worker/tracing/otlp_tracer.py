"""Spans by OpenTelemetry's SDK, sent to a collector in batches by OTLP over HTTP."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from worker.tracing.spans import Note, Value, attributes

# Also how long the end of a process may wait for an unavailable collector.
_EXPORT_SECONDS = 3
_W3C = TraceContextTextMapPropagator()


class OtlpTracer:
    """The spans of one process; create it after a fork, since a thread sends them.

    The SDK reads its own variables as well: OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES.
    """

    def __init__(self, endpoint: str, process: str) -> None:
        names = {"service.name": f"astegni-{process}", "service.version": version("astegni-worker")}
        self._provider = TracerProvider(resource=Resource.create(names), shutdown_on_exit=False)
        self._exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=_EXPORT_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("astegni")

    @contextmanager
    def span(self, name: str, values: dict[str, Value], parent: str | None) -> Iterator[Note]:
        """See `worker.tracing.spans.Tracer`."""
        # Messages of errors may repeat what people wrote.
        with self._tracer.start_as_current_span(
            name,
            context=_context(parent),
            attributes=values,
            record_exception=False,
            set_status_on_exception=False,
        ) as opened:
            try:
                yield _note_of(opened)
            except BaseException as error:
                opened.set_attributes(attributes({"error": type(error).__name__}))
                opened.set_status(Status(StatusCode.ERROR))
                raise

    def past(self, name: str, values: dict[str, Value], parent: str | None, seconds: float) -> None:
        """See `worker.tracing.spans.Tracer`."""
        began = time.time_ns() - int(seconds * 1e9)
        self._tracer.start_span(name, context=_context(parent), attributes=values, start_time=began).end()

    def traceparent(self) -> str | None:
        """See `worker.tracing.spans.Tracer`."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier.get("traceparent")

    def close(self) -> None:
        """Send the remaining spans, if the collector accepts them in time."""
        # The SDK would wait for each batch of a full queue in turn; its threads are daemons too.
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(_EXPORT_SECONDS)
        self._exporter.shutdown()  # type: ignore[no-untyped-call]  # publishes no type


def _context(parent: str | None) -> Context | None:
    """The context of a stored traceparent; None, which means the open span, if it is missing or invalid."""
    if parent is None:
        return None
    context = _W3C.extract({"traceparent": parent}, Context())
    return context if get_current_span(context).get_span_context().is_valid else None


def _note_of(opened: Span) -> Note:
    def note(**values: Value | None) -> None:
        opened.set_attributes(attributes(values))

    return note
