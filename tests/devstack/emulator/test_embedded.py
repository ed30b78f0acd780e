from pathlib import Path

from b2sdk.v2 import B2Api, InMemoryAccountInfo

from devstack.emulator.embedded import EmbeddedB2
from tests.conftest import Gone, Starter

_STARTER = """
import sys, time
from pathlib import Path
from devstack.emulator.embedded import EmbeddedB2
server = EmbeddedB2(Path(sys.argv[1]))
server.start()
print(server.process.pid, flush=True)
time.sleep(60)
"""


def _client(server: EmbeddedB2) -> B2Api:
    api = B2Api(InMemoryAccountInfo())
    credentials = server.credentials
    api.authorize_account(credentials.realm, credentials.key_id, credentials.application_key)
    return api


def test_objects_and_keys_outlive_a_restart(tmp_path: Path) -> None:
    with EmbeddedB2(tmp_path / "b2") as server:
        first = server.credentials
        _client(server).get_bucket_by_name(first.bucket).upload_bytes(b"kept", "a.txt")

    with EmbeddedB2(tmp_path / "b2") as server:
        second = server.credentials
        bucket = _client(server).get_bucket_by_name(second.bucket)
        assert [version.file_name for version, _ in bucket.ls()] == ["a.txt"]

    assert (first.key_id, first.application_key, first.bucket) == (
        second.key_id,
        second.application_key,
        second.bucket,
    )


def test_its_key_is_not_shown(tmp_path: Path) -> None:
    with EmbeddedB2(tmp_path / "b2") as server:
        assert server.process is not None
        arguments = Path(f"/proc/{server.process.pid}/cmdline").read_text()

        assert server.credentials.application_key not in arguments
        assert server.credentials.application_key not in server.log.read_text()


def test_it_dies_with_its_starter(tmp_path: Path, starter: Starter, gone: Gone) -> None:
    process = starter(_STARTER, tmp_path / "b2")
    pid = int(process.line())

    process.kill()

    assert gone(pid)
