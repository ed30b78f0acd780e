"""Run the emulator in the foreground."""

from collections.abc import Callable
from pathlib import Path

from devstack.emulator.app import create_emulator
from devstack.emulator.credentials import Credentials
from devstack.emulator.store.bucket_records import DEFAULT_BUCKET
from devstack.foreground_server import ForegroundServer, authority, listen


def run_emulator(
    root: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    bucket: str = DEFAULT_BUCKET,
    on_ready: Callable[[Credentials], None],
) -> None:
    """Serve the store in folder `root` until SIGTERM or SIGINT; `port` 0 takes a free one.

    `on_ready` is called once, when calls are accepted. Raises AlreadyInUse when the folder is in use by another
    emulator, or the port is taken.
    """
    with listen(host, port) as listener:
        app = create_emulator(root, bucket=bucket)
        secrets = app.state.emulator.secrets
        credentials = Credentials(f"http://{authority(listener)}", secrets.key_id, secrets.application_key, bucket)
        ForegroundServer(app, lambda: on_ready(credentials)).run(sockets=[listener])
