"""What modules record: nothing without a collector, and otherwise listed attributes alone."""

import socket
import threading

import pytest

from tests.tracing.collector import collecting
from tests.waiting import TIMEOUT
from worker.settings import Settings
from worker.tracing.spans import current_traceparent, record_past, span
from worker.tracing.tracing import Tracing, load_packages


def test_nothing_happens_without_a_collector() -> None:
    tracing = Tracing(Settings(), "api")
    tracing.start()
    with span("request", unknown="is not even looked at") as note:
        note(status=200)
        assert current_traceparent() is None
    record_past("job wait", 1.0)
    # One object for all: nothing is made for a span that nobody wants.
    assert span("request") is span("b2", operation="stat")
    tracing.stop()
    load_packages(Settings())


def test_spans_have_listed_attributes_and_errors_their_type_alone() -> None:
    with collecting() as collector:
        settings = Settings(otel_exporter_otlp_endpoint=f"{collector.address}/")
        load_packages(settings)
        tracing = Tracing(settings, "test")
        tracing.start()
        try:
            with pytest.raises(KeyError, match="title"):
                span("request", title="Algebra")
            with pytest.raises(ValueError, match="Hanna"), span("job attempt", kind="x", attempt=2) as note:
                parent = current_traceparent()
                with span("b2", operation="stat"):
                    note(outcome="failed")
                record_past("job wait", 7.5)
                raise ValueError("Hanna's lesson")
            with span("elsewhere", parent=parent):
                pass
            with span("alone", parent="nonsense"):
                pass
            assert current_traceparent() is None
        finally:
            tracing.stop()
    assert parent is not None
    assert len(parent) == 55
    by_name = {known.name: known for known in collector.spans}
    failed = by_name["job attempt"]
    assert failed.is_error
    assert failed.attributes == {
        "astegni.job.kind": "x",
        "astegni.job.attempt": 2,
        "astegni.job.outcome": "failed",
        "error.type": "ValueError",
    }
    assert by_name["b2"].parent == by_name["job wait"].parent == by_name["elsewhere"].parent == failed.id
    assert parent.split("-")[1:3] == [failed.trace, failed.id]
    # It began that long before it was recorded.
    assert by_name["job wait"].seconds >= 7.5
    assert by_name["alone"].parent == ""
    assert b"Hanna" not in b"".join(collector.bodies)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="must be an address"):
        Settings(otel_exporter_otlp_endpoint="collector:4318")


def test_a_collector_that_does_not_answer_holds_nobody_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        tracing = Tracing(Settings(otel_exporter_otlp_endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}"), "test")
        tracing.start()
        # More than a batch of 512.
        for _number in range(1200):
            with span("b2", operation="stat"):
                pass
        ending = threading.Thread(target=tracing.stop)
        ending.start()
        ending.join(TIMEOUT)
        assert not ending.is_alive()
