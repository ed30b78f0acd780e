"""An interrupted upload continues: at most one part is sent again."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from b2sdk.v3 import Bucket

from devstack.emulator.credentials import Credentials
from tests.storage.faulty_proxy import Cut, FaultyProxy, Hold
from tests.waiting import TIMEOUT
from worker.storage.errors import UploadStopped
from worker.storage.store import ObjectStore

MakeStore = Callable[..., ObjectStore]
MakeFile = Callable[..., tuple[Path, str]]

NAME = "videos/lesson.webm"
SIZE = 34_000_000  # six parts of 5 MB and one of four
# Two parts are on their way at once.
MAX_AGAIN = 10_000_000

UPLOAD = f"""
import os, sys
from pathlib import Path
from worker.storage.store import ObjectStore
path, sha1, realm, bucket = sys.argv[1:]
store = ObjectStore(key_id=os.environ["ID"], application_key=os.environ["KEY"], bucket=bucket, realm=realm)
store.upload(Path(path), {NAME!r}, content_type="video/webm", sha1=sha1)
"""


def upload(store: ObjectStore, file: tuple[Path, str], **options: Any) -> Any:
    return store.upload(file[0], NAME, content_type="video/webm", sha1=file[1], **options)


@contextmanager
def other_process(file: tuple[Path, str], proxy: FaultyProxy, bucket: Bucket, b2: Credentials) -> Iterator[Any]:
    """A process that uploads with production's values."""
    command = [sys.executable, "-c", UPLOAD, str(file[0]), file[1], proxy.url, bucket.name]
    environment = {**os.environ, "ID": b2.key_id, "KEY": b2.application_key}
    with subprocess.Popen(command, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def check_end(proxy: FaultyProxy, bucket: Bucket, begun: str) -> None:
    assert SIZE <= proxy.received["b2_upload_part"] <= SIZE + MAX_AGAIN
    assert [(version.action, version.id_, version.size) for version in bucket.list_file_versions(NAME)] == [
        ("upload", begun, SIZE)
    ]
    assert list(bucket.list_unfinished_large_files()) == []


def only_begun(bucket: Bucket) -> str:
    [begun] = bucket.list_unfinished_large_files()
    return str(begun.file_id)


@pytest.mark.parametrize("part", [1, 2, 5, 7])
def test_a_killed_process_costs_ten_megabytes_at_most(
    make_store: MakeStore, make_file: MakeFile, proxy: FaultyProxy, bucket: Bucket, b2: Credentials, part: int
) -> None:
    file, hold = make_file(size=SIZE), Hold(after=3_000_000)
    proxy.meet("b2_upload_part", *[None] * (part - 1), hold)
    with other_process(file, proxy, bucket, b2) as process:
        assert hold.reached.wait(TIMEOUT)
        process.kill()
        assert process.wait(TIMEOUT) == -9
    hold.released.set()
    begun = only_begun(bucket)
    with other_process(file, proxy, bucket, b2) as process:
        assert process.wait(TIMEOUT) == 0
    check_end(proxy, bucket, begun)
    assert make_store().stat(NAME).sha1 == file[1]  # type: ignore[union-attr]


def test_a_cut_line_costs_little(
    make_store: MakeStore, make_file: MakeFile, proxy: FaultyProxy, bucket: Bucket
) -> None:
    file = make_file(size=SIZE)
    proxy.meet("b2_upload_part", None, None, Cut(4_000_000))
    stored = upload(make_store(realm=proxy.url), file)
    assert stored.sha1 == file[1]
    check_end(proxy, bucket, stored.file_id)


def test_a_stopped_upload_costs_little(
    make_store: MakeStore, make_file: MakeFile, proxy: FaultyProxy, bucket: Bucket
) -> None:
    file, progress = make_file(size=SIZE), [0]
    with pytest.raises(UploadStopped):
        upload(
            make_store(realm=proxy.url),
            file,
            on_progress=progress.append,
            should_stop=lambda: max(progress) > 24_000_000,
        )
    begun = only_begun(bucket)
    assert upload(make_store(realm=proxy.url), file).sha1 == file[1]
    check_end(proxy, bucket, begun)


def test_an_upload_that_is_cancelled_meanwhile_begins_again(
    make_store: MakeStore, make_file: MakeFile, bucket: Bucket
) -> None:
    """By the sweep or a lifecycle rule: an unfinished one that is continued later may be older than they allow."""
    file, tomorrow, cancelled = make_file(size=SIZE), datetime.now(UTC) + timedelta(days=1), list[int]()
    sweeps = iter([make_store()])

    def cancel_once(sent: int) -> None:
        for sweep in sweeps if sent > 6_000_000 else ():
            cancelled.append(sweep.cancel_unfinished("videos/", older_than=tomorrow))

    assert upload(make_store(), file, on_progress=cancel_once).sha1 == file[1]
    assert (cancelled, list(bucket.list_unfinished_large_files())) == ([1], [])
