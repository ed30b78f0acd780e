"""What a process tells systemd, on a real socket like systemd's."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeSettings
from tests.forking.forked_process import ForkServer
from tests.waiting import TIMEOUT
from worker.cli.local_stack.environment import environment_for
from worker.processes.service_manager import notify_service_manager


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket on which systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(TIMEOUT)
        yield listening


def test_a_state_arrives(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", manager.getsockname())
    notify_service_manager("READY=1")

    assert manager.recv(100) == b"READY=1"


def test_an_abstract_socket_is_written_with_an_at_sign(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{tmp_path}")
        listening.settimeout(TIMEOUT)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{tmp_path}")
        notify_service_manager("WATCHDOG=1")

        assert listening.recv(100) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", ["", "/nowhere/at/all"])
def test_without_a_manager_nothing_happens(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)

    notify_service_manager("READY=1")


@pytest.mark.parametrize("words", [("worker", "--queues", "default,reminders"), ("beat",)])
def test_a_process_tells_that_it_is_ready_and_alive(
    words: tuple[str, ...],
    manager: socket.socket,
    settings: MakeSettings,
    database_url: str,
    redis_url: str,
    fork_server: ForkServer,
    tmp_path: Path,
) -> None:
    environment = environment_for(settings()) | {"NOTIFY_SOCKET": manager.getsockname()}
    process = fork_server.start(words[0], "worker.cli", list(words), tmp_path / "log", environment)
    try:
        # Ready once it works, then alive again and again.
        assert {manager.recv(100) for _ in range(2)} == {b"READY=1\nWATCHDOG=1"}
    finally:
        process.kill()
