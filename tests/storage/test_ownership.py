"""Two installations on one bucket: the second is refused before it can sweep the first one's objects away."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from worker.storage.ownership import MARK, ForeignBucket, require_own_bucket, take_over
from worker.storage.store import ObjectStore

MakeStore = Callable[..., ObjectStore]


def test_the_first_one_has_it(make_store: MakeStore) -> None:
    store, first, second = make_store(), uuid4(), uuid4()
    for _ in range(2):
        require_own_bucket(store, first)

    with pytest.raises(ForeignBucket, match="take-over"):
        require_own_bucket(store, second)


def test_the_mark_names_the_database(make_store: MakeStore, tmp_path: Path) -> None:
    store, installation = make_store(), uuid4()
    require_own_bucket(store, installation)
    store.download(MARK, tmp_path / "mark")

    assert str(installation) in (tmp_path / "mark").read_text()


def test_taking_it_over_refuses_the_other(make_store: MakeStore) -> None:
    store, first, second = make_store(), uuid4(), uuid4()
    require_own_bucket(store, first)
    for _ in range(2):
        take_over(store, second)

    require_own_bucket(store, second)
    with pytest.raises(ForeignBucket):
        require_own_bucket(store, first)


def test_of_two_at_the_same_moment_at_most_one_has_it_in_the_end(make_store: MakeStore) -> None:
    installations = [uuid4() for _ in range(4)]
    barrier = threading.Barrier(len(installations))

    def claim(installation: UUID) -> None:
        store = make_store()
        barrier.wait()
        with suppress(ForeignBucket):
            require_own_bucket(store, installation)

    threads = [threading.Thread(target=claim, args=(installation,)) for installation in installations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    store, owners = make_store(), []
    for installation in installations:
        with suppress(ForeignBucket):
            require_own_bucket(store, installation)
            owners.append(installation)
    assert len(owners) == 1
