"""The options of Flower: read-only, with persistent state, and closed to untrusted users."""

import _thread
import os
import signal
import threading
import time
from collections.abc import MutableMapping

from worker.address_values import is_loopback
from worker.errors import InvalidSetting
from worker.settings import Settings


def arguments(settings: Settings, environment: MutableMapping[str, str]) -> list[str]:
    """Arguments of the `celery flower` command. The password travels in `environment`, which `ps` does not show.

    Raises InvalidSetting for an address that untrusted users can reach without FLOWER_BASIC_AUTH.
    """
    auth = settings.flower_basic_auth
    if auth is None and not is_loopback(settings.flower_host):
        raise InvalidSetting(
            "Flower would be open to everybody. Set FLOWER_BASIC_AUTH=user:password, or FLOWER_HOST=127.0.0.1."
        )
    if auth is not None:
        environment["FLOWER_BASIC_AUTH"] = auth.get_secret_value()
    settings.flower_db.parent.mkdir(parents=True, exist_ok=True)
    return [
        "flower",
        f"--address={settings.flower_host}",
        f"--port={settings.flower_port}",
        # The ledger has the history; Flower keeps what it has seen lately across restarts.
        "--persistent=True",
        f"--db={settings.flower_db}",
        "--state_save_interval=60000",
        "--max_tasks=5000",
        "--purge_offline_workers=300",
        "--read_only=True",
    ]


def end_on_sigterm(timeout: float = 5.0) -> None:
    """Have SIGTERM end this process within `timeout` seconds, gracefully if possible.

    Flower's own handler waits for threads that query the broker, which takes minutes while the broker is unavailable.
    Its state is stored each minute, so little is lost.
    """
    # Threads inherit the mask, so only the thread that waits for the signal receives it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def wait() -> None:
        signal.sigwait({signal.SIGTERM})
        _thread.interrupt_main()
        time.sleep(timeout)
        os._exit(0)

    threading.Thread(target=wait, name="sigterm", daemon=True).start()
