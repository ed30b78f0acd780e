"""Downloads of many objects over a faulty connection to Backblaze."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devstack.emulator.credentials import Credentials
from tests.storage.faulty_proxy import Answer, CutAnswer, FaultyProxy, faulty_proxy
from tests.workflows.conftest import Put
from worker.errors import AstegniError
from worker.recordings.objects.object_faults import NamedObject
from worker.storage.errors import StorageFull, StorageUnavailable
from worker.storage.store import ObjectStore
from worker.workflows.context import WorkerContext
from worker.workflows.people.download_objects import NotDownloaded, download_objects

Download = Callable[..., list[AstegniError | None]]
_TRIES_OF_THE_STORE = 3


@pytest.fixture
def proxy(b2: Credentials) -> Iterator[FaultyProxy]:
    with faulty_proxy(b2.realm) as proxy:
        yield proxy


@pytest.fixture
def download(context: WorkerContext, b2: Credentials, proxy: FaultyProxy, put: Put, tmp_path: Path) -> Download:
    """`download(number, pauses)`: how the download of each of so many objects ended."""
    store = ObjectStore(
        key_id=b2.key_id,
        application_key=b2.application_key,
        bucket=context.settings.backblaze_bucket_name,
        realm=proxy.url,
        sleep=lambda _seconds: None,
    )

    def download_all(number: int, pauses: tuple[float, ...]) -> list[AstegniError | None]:
        names = [put(f"videos/whiteboard/session_1/recording_1/{place}") for place in range(number)]
        objects = [NamedObject(1, "source", name, None, None, datetime.now(UTC)) for name in names]
        results = list(download_objects(lambda: store, objects, tmp_path / "object", pauses=pauses))
        assert [each.name if isinstance(each, NotDownloaded) else each for each in results] == names
        return [each.error if isinstance(each, NotDownloaded) else None for each in results]

    return download_all


def test_a_failure_that_passes_costs_nothing(download: Download, proxy: FaultyProxy) -> None:
    proxy.meet("download", None, *[Answer(503)] * _TRIES_OF_THE_STORE * 2, CutAnswer(1))

    assert download(3, (0.0, 0.0, 0.0)) == [None, None, None]


def test_one_that_does_not_costs_that_object(download: Download, proxy: FaultyProxy) -> None:
    proxy.meet("download", None, *[Answer(503)] * _TRIES_OF_THE_STORE * 2)

    first, second, third = download(3, (0.0,))
    assert (first, third) == (None, None)
    assert isinstance(second, StorageUnavailable)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(503, "service_unavailable", StorageUnavailable), (403, "download_cap_exceeded", StorageFull)],
)
def test_an_outage_ends(
    download: Download, proxy: FaultyProxy, status: int, code: str, kind: type[AstegniError]
) -> None:
    proxy.meet("download", None)
    proxy.always("download", Answer(status, code))

    errors = download(7, ())
    assert [type(error) for error in errors] == [type(None), *[kind] * 3, *[StorageUnavailable] * 3]
    assert all("not tried" in error.detail for error in errors[4:] if error is not None)
