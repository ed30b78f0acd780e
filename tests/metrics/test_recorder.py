"""What is recorded goes nowhere until the entry point says where."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.emulator.credentials import Credentials
from tests.conftest import MakeSettings
from tests.metrics.test_shared_metrics import read
from worker.jobs.orders.registered import order_kinds
from worker.metrics import recorder
from worker.metrics.families import families_of
from worker.metrics.shared_metrics import SharedMetrics
from worker.storage.store import ObjectStore


@pytest.fixture
def metrics() -> Iterator[SharedMetrics]:
    metrics = SharedMetrics(families_of(order_kinds()))
    recorder.record_to(metrics)
    yield metrics
    recorder.record_to(None)


def test_nothing_is_recorded_without_a_target() -> None:
    recorder.record_lease_loss("recordings.ingest")
    recorder.record_attempt("recordings.ingest", "succeeded", waited=1.0, ran=2.0)


def test_an_attempt(metrics: SharedMetrics) -> None:
    recorder.record_attempt("recordings.ingest", "retryable", waited=-0.001, ran=2.0)
    values = read(metrics)
    # Clocks of PostgreSQL may step back by a moment.
    assert values["astegni_job_wait_seconds_sum recordings.ingest"] == 0
    assert values["astegni_job_run_seconds_sum recordings.ingest"] == 2
    assert values["astegni_job_attempts_total recordings.ingest retryable"] == 1


def test_the_bytes_of_objects(metrics: SharedMetrics, settings: MakeSettings, b2: Credentials, tmp_path: Path) -> None:
    store = ObjectStore.from_settings(settings())
    file = tmp_path / "object"
    file.write_bytes(bytes(1000))
    for _again in range(2):
        store.upload(file, "videos/whiteboard/session_1/x", content_type="video/webm")
    store.download("videos/whiteboard/session_1/x", tmp_path / "copy")
    values = read(metrics)
    # The second time it was there.
    assert values["astegni_storage_bytes_total up"] == 1000
    assert values["astegni_storage_bytes_total down"] == 1000
