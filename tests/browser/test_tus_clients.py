"""tus-js-client and Uppy as their authors publish them, in a page of another origin: uploads, breaks, resumption."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from devstack.process import ChildProcess
from tests.browser.chromium import Chromium
from tests.browser.npm import npm_file
from tests.conftest import MakeSettings, Processes, School, Sql
from tests.waiting import wait_for
from worker.access.issue_token import issue_token
from worker.settings import Settings

# Each is one file without dependencies in its package.
_PACKAGES = {"tus-js-client@4.3.1": "tus.min.js", "uppy@6.0.1": "uppy.min.js"}
_HTML = """<!doctype html><meta charset="utf-8"><title>Clients</title><link rel="icon" href="data:,">
<script src="tus.min.js"></script><script src="uppy.min.js"></script>"""
_KEY = "a key of the platform in tests, long enough"
SOUND = (Path(__file__).parent.parent / "data" / "audio.webm").read_bytes()
# A recording with as many other bytes behind it as make several pieces.
SIZE = 3_000_000
CONTENT = SOUND + (bytes(range(251)) * (SIZE // 251 + 1))[: SIZE - len(SOUND)]


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page and the clients. Skips where npm cannot fetch them."""
    folder = tmp_path_factory.mktemp("clients")
    for package, name in _PACKAGES.items():
        (folder / name).write_bytes(npm_file(package, f"dist/{name}", folder))
    (folder / "index.html").write_text(_HTML)
    (folder / "lesson.webm").write_bytes(CONTENT)
    return folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def origin(clients: Path) -> Iterator[str]:
    """Where the page is."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(clients)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@dataclass
class Client:
    """A page with the clients, and the API that they send to."""

    browser: Chromium
    processes: Processes
    settings: Settings
    api: str
    process: ChildProcess
    headers: dict[str, str]
    session: int

    def run(self, script: str) -> Any:
        return self.browser.run(script)

    def wait(self, condition: str) -> Any:
        """Wait until the script's result is true."""
        return wait_for(
            lambda: self.run(f"Boolean({condition})"), pause=0.1, details=lambda: self.run("String(window.failure)")
        )

    def restart(self) -> None:
        """Kill the API and start another one in its place."""
        self.process.kill()
        self.api, self.process = self.processes.api(self.settings, port=int(self.api.rpartition(":")[2]))

    def upload(self) -> Any:
        """The newest upload as the API shows it."""
        url = f"{self.api}/v1/uploads?session_id={self.session}"
        response = httpx2.get(url, headers=self.headers, trust_env=False)
        return response.json()["items"][0]


@pytest.fixture
def client(
    origin: str,
    school: School,
    settings: MakeSettings,
    processes: Processes,
    chromium_program: str,
    tmp_path: Path,
    database_url: str,
    redis_url: str,
) -> Iterator[Client]:
    shared = settings(secret_key=_KEY, cors_origins=(origin,), spool_reserve_bytes=0)
    api, process = processes.api(shared)
    token = issue_token(shared.signing_key, sub=school.tutor.user_id, role="tutor", role_ids={"tutor": 11})
    headers = {"Authorization": f"Bearer {token}"}
    session = httpx2.post(
        f"{api}/v1/whiteboard/sessions", json={"booking_id": school.booking_id}, headers=headers, trust_env=False
    )
    home = tmp_path / "chromium"
    home.mkdir()
    browser = Chromium(chromium_program, home)
    try:
        browser.open(f"{origin}/")
        browser.run(
            f"Object.assign(window, {{endpoint: '{api}/v1/uploads', headers: {{Authorization: 'Bearer {token}'}},"
            f" metadata: {{session_id: '{session.json()['id']}', filename: 'ትምህርት.webm', filetype: 'video/webm'}},"
            " done: false, failure: null, sent: 0}); 0"
        )
        browser.run("fetch('lesson.webm').then((answer) => answer.blob()).then((blob) => { window.lesson = blob; })")
        yield Client(browser, processes, shared, api, process, headers, session.json()["id"])
    finally:
        browser.close()


_OPTIONS = """{
  endpoint, headers, metadata, chunkSize: 200000, retryDelays: Array(100).fill(300),
  onError: (error) => { window.failure = error; }, onSuccess: () => { window.done = true; },
  onChunkComplete: (size, accepted) => { window.sent = accepted; },
}"""


def _require_stored(client: Client, sql: Sql) -> None:
    """The recording has exactly the bytes of the page."""
    (recording,) = sql("SELECT spool_name, source_sha1 FROM whiteboard_session_recordings")
    assert (client.settings.spool_dir / recording.spool_name).read_bytes() == CONTENT
    assert recording.source_sha1 == hashlib.sha1(CONTENT, usedforsecurity=False).hexdigest()


def test_tus_js_client_goes_on_after_the_api_was_killed(client: Client, sql: Sql) -> None:
    client.run(f"window.upload = new tus.Upload(lesson, {_OPTIONS}); upload.start(); 0")
    client.wait("sent >= 400000")
    client.restart()

    client.wait("done")

    upload = client.upload()
    assert (upload["state"], upload["offset"], upload["filename"]) == ("finished", SIZE, "ትምህርት.webm")
    _require_stored(client, sql)


def test_tus_js_client_resumes_an_upload_of_another_page(client: Client, sql: Sql) -> None:
    client.run(
        f"window.upload = new tus.Upload(lesson, {_OPTIONS});"
        "upload.options.onChunkComplete = (size, accepted) => { window.sent = accepted; upload.abort(); };"
        "upload.start(); 0"
    )
    client.wait("sent >= 200000")
    first = client.upload()["id"]

    client.run(
        f"window.again = new tus.Upload(lesson, {_OPTIONS});"
        "again.findPreviousUploads().then(([previous]) => {"
        "  again.resumeFromPreviousUpload(previous); again.start(); return 0; })"
    )
    client.wait("done")

    assert (client.upload()["id"], client.upload()["state"]) == (first, "finished")
    _require_stored(client, sql)


def test_tus_js_client_sends_a_stream_of_unknown_length(client: Client, sql: Sql) -> None:
    client.run(
        f"window.upload = new tus.Upload(lesson.stream().getReader(), {{...{_OPTIONS}, uploadLengthDeferred: true}});"
        "upload.start(); 0"
    )

    client.wait("done")

    assert client.upload()["length"] == SIZE
    _require_stored(client, sql)


def test_tus_js_client_creates_with_the_first_bytes_and_terminates(client: Client) -> None:
    client.run(
        f"window.upload = new tus.Upload(lesson, {{...{_OPTIONS}, uploadDataDuringCreation: true}});"
        "upload.options.onChunkComplete = (size, accepted) => {"
        "  window.sent = accepted; upload.abort(true).then(() => { window.done = true; }); };"
        "upload.start(); 0"
    )

    client.wait("done")

    assert client.upload()["state"] == "terminated"
    assert list(client.settings.spool_dir.glob("*.upload")) == []


def test_tus_js_client_sends_to_the_address_of_the_api_that_has_the_bytes(client: Client, sql: Sql) -> None:
    port = int(client.api.rpartition(":")[2])
    client.settings = client.settings.model_copy(update={"upload_base_url": client.api})
    client.restart()

    # Another address of the same API, as that of a proxy is.
    client.run(
        f"window.upload = new tus.Upload(lesson, {{...{_OPTIONS}, endpoint: 'http://localhost:{port}/v1/uploads'}});"
        "upload.start(); 0"
    )
    client.wait("done")

    assert client.run("upload.url") == f"{client.api}/v1/uploads/{client.upload()['id']}"
    _require_stored(client, sql)


def test_uppy_uploads(client: Client, sql: Sql) -> None:
    client.run(
        "window.uppy = new Uppy.Uppy().use(Uppy.Tus, {endpoint, headers, chunkSize: 500000,"
        " allowedMetaFields: ['session_id', 'filename', 'filetype', 'name', 'type']});"
        "uppy.addFile({name: 'lesson.webm', type: 'video/webm', data: lesson, meta: metadata});"
        "uppy.upload().then((result) => {"
        "  window.failure = result.failed[0]?.error; window.done = result.successful.length === 1; }); 0"
    )

    client.wait("done")

    assert client.upload()["state"] == "finished"
    _require_stored(client, sql)
