"""The page of `recorder_harness.js`, which records itself with `/recorder.js`, on an origin of its own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MEDIA_FLAGS = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
_HTML = """<!doctype html><meta charset="utf-8"><title>RecorderHarness</title>
<script type="module">
import { Recorder, leftRecordings } from '%s/recorder.js';
Object.assign(window, { Recorder, leftRecordings, errors: [] });
addEventListener('error', (event) => errors.push(event.message));
addEventListener('unhandledrejection', (event) => errors.push(String(event.reason?.stack || event.reason)));
</script>
<script type="module" src="recorder_harness.js"></script>"""


@contextmanager
def serve_harness(api: Callable[[], str]) -> Iterator[str]:
    """An origin with the page, which imports the module of the API at the address that `api` returns."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_script = self.path == "/recorder_harness.js"
            content = (
                (Path(__file__).parent / "recorder_harness.js").read_bytes()
                if is_script
                else (_HTML % api()).encode("utf-8")
            )
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript" if is_script else "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
