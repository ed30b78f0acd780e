"""What survives the process: a stop, a kill, and a large upload in little memory."""

import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import requests
from b2sdk.v3 import B2Api, UploadSourceLocalFile, WriteIntent

from devstack.emulator.app import create_emulator
from devstack.emulator.credentials import Credentials
from devstack.emulator.embedded import EmbeddedB2
from devstack.errors import AlreadyInUse
from tests.devstack.emulator.conftest import Serve
from tests.waiting import TIMEOUT, wait_for

Connect = Callable[..., B2Api]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedB2]:
    with EmbeddedB2(tmp_path / "b2") as started:
        yield started


def test_everything_is_there_after_a_restart(tmp_path: Path, connect: Connect) -> None:
    with EmbeddedB2(tmp_path / "b2") as server:
        first = server.credentials
        api = connect(first)
        bucket = api.get_bucket_by_name(first.bucket)
        bucket.upload_bytes(b"x", "x", file_info={"a": "b"})
        begun = api.session.start_large_file(bucket.id_, "big", "a/b", {})["fileId"]
        key = api.create_key(["listBuckets", "listFiles", "readFiles"], "made")
        token = bucket.get_download_authorization("", 60)
    with EmbeddedB2(tmp_path / "b2") as server:
        again = server.credentials
        assert (again.key_id, again.application_key) == (first.key_id, first.application_key)
        bucket = connect(again, key.id_, key.application_key).get_bucket_by_name(first.bucket)
        assert bucket.get_file_info_by_name("x").file_info == {"a": "b"}
        assert [file.file_id for file in bucket.list_unfinished_large_files()] == [begun]
        url = f"{again.realm}/file/{first.bucket}/x"
        assert requests.get(url, headers={"Authorization": token}, timeout=10).content == b"x"


def test_a_killed_emulator_keeps_what_it_had_acknowledged(tmp_path: Path, connect: Connect) -> None:
    server = EmbeddedB2(tmp_path / "b2")
    server.start()
    credentials = server.credentials
    bucket = connect(credentials).get_bucket_by_name(credentials.bucket)
    acknowledged: list[str] = []

    upload = bucket.api.session.get_upload_url(bucket.id_)
    headers = {
        "Authorization": upload["authorizationToken"],
        "Content-Type": "a/b",
        "X-Bz-Content-Sha1": "do_not_verify",
    }

    def upload_until_it_dies() -> None:
        # Killed between the head and the body of a response, it leaves a ChunkedEncodingError, not a ConnectionError.
        with contextlib.suppress(requests.RequestException), requests.Session() as session:
            for name in (f"x/{number:04d}" for number in itertools.count()):
                named_headers = {**headers, "X-Bz-File-Name": name}
                response = session.post(
                    upload["uploadUrl"], os.urandom(200_000), headers=named_headers, timeout=TIMEOUT
                )
                assert response.status_code == 200
                acknowledged.append(name)

    uploader = threading.Thread(target=upload_until_it_dies)
    uploader.start()
    wait_for(lambda: len(acknowledged) >= 20)
    kill(server)
    uploader.join()
    with EmbeddedB2(tmp_path / "b2") as server:
        again = connect(server.credentials).get_bucket_by_name(credentials.bucket)
        versions = {version.file_name: version for version, _ in again.ls("x")}
        assert set(acknowledged) <= set(versions)
        assert all(version.size == 200_000 for version in versions.values())
        blobs = list((tmp_path / "b2" / "blobs").glob("*/*"))
        assert len(blobs) == len(versions)


def kill(server: EmbeddedB2) -> None:
    assert server.process is not None
    server.process.kill()


def test_a_folder_has_one_emulator(serve: Serve, tmp_path: Path) -> None:
    serve()
    with pytest.raises(AlreadyInUse, match="in use"):
        create_emulator(tmp_path / "b2")


def test_memory_stays_flat(server: EmbeddedB2, connect: Connect, tmp_path: Path) -> None:
    """300 MB in one upload, in parts, and back again: the process may grow by a tenth of that."""
    size = 300_000_000
    sparse = tmp_path / "sparse.bin"
    with sparse.open("wb") as file:
        file.truncate(size)
    api = connect(server.credentials)
    bucket = api.get_bucket_by_name(server.credentials.bucket)
    bucket.upload_bytes(b"warm", "warm")
    with MemoryWatch(server) as watch:
        upload_whole(server.credentials, api, bucket.id_, sparse)
        bucket.create_file(
            [WriteIntent(UploadSourceLocalFile(sparse))], "parts", recommended_upload_part_size=50_000_000
        )
        for name in ("whole", "parts"):
            assert received(bucket.get_download_url(name), api) == size
    assert watch.grown < 30_000_000


def upload_whole(credentials: Credentials, api: B2Api, bucket_id: str, path: Path) -> None:
    upload = api.session.get_upload_url(bucket_id)
    headers = {
        "Authorization": upload["authorizationToken"],
        "X-Bz-File-Name": "whole",
        "Content-Type": "a/b",
        "X-Bz-Content-Sha1": "do_not_verify",
    }
    with path.open("rb") as file:
        response = requests.post(upload["uploadUrl"], data=file, headers=headers, timeout=TIMEOUT)
    assert response.json()["contentLength"] == path.stat().st_size


def received(url: str, api: B2Api) -> int:
    headers = {"Authorization": api.account_info.get_account_auth_token()}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        return sum(map(len, response.iter_content(1 << 20)))


class MemoryWatch:
    """How much a process grows at most while the `with` block runs, in bytes."""

    def __init__(self, server: EmbeddedB2) -> None:
        assert server.process is not None
        self._process = psutil.Process(server.process.pid)
        self._over = threading.Event()
        self._sampler = threading.Thread(target=self._sample)
        self.grown = 0

    def __enter__(self) -> "MemoryWatch":
        self._before = self._process.memory_info().rss
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._sampler.join()

    def _sample(self) -> None:
        while not self._over.wait(0.02):
            self.grown = max(self.grown, self._process.memory_info().rss - self._before)
