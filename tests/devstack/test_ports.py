import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.account import inherit_directory, unprivileged_account
from devstack.errors import StartupFailed
from devstack.ports import free_port, retry_while_port_taken, usual_port
from devstack.postgres import EmbeddedPostgres
from devstack.valkey import EmbeddedValkey
from tests.conftest import Starter


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        yield server.getsockname()[1]


def test_a_free_port_can_be_taken() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        assert server.getsockname()[1] > 0


def test_valkey_moves_on_to_another_port(tmp_path: Path, busy_port: int) -> None:
    server = EmbeddedValkey(tmp_path)
    ports = iter([busy_port, busy_port, free_port()])

    process = retry_while_port_taken(lambda: server._serve(next(ports)))

    assert server.port != busy_port
    assert process.exit_code is None
    process.stop()


def test_postgres_says_that_its_port_is_taken(tmp_path: Path, busy_port: int) -> None:
    with EmbeddedPostgres(tmp_path, fast=True) as server:
        assert server.process is not None
        program = Path(f"/proc/{server.process.pid}/exe").readlink()
    account = unprivileged_account(tmp_path / "data")

    with (
        inherit_directory(account, tmp_path / "data") as data,
        pytest.raises(StartupFailed, match="Address already in use"),
    ):
        server._serve(program.parent, account, data, busy_port)


def test_other_failures_are_not_tried_again() -> None:
    tries: list[int] = []

    def start() -> None:
        tries.append(1)
        raise StartupFailed("no such file")

    with pytest.raises(StartupFailed):
        retry_while_port_taken(start)
    assert len(tries) == 1


def test_bad_luck_has_an_end() -> None:
    tries: list[int] = []

    def start() -> None:
        tries.append(1)
        raise StartupFailed("[Errno 98] error while attempting to bind: address already in use")

    with pytest.raises(StartupFailed):
        retry_while_port_taken(start)
    assert len(tries) == 5


def _last_port(memory: Path, first: int | None = None) -> int:
    """The usual port of a stack that has ended."""
    with usual_port(memory, first) as port:
        return port


def test_the_usual_port_is_the_last_one_then_the_first_choice_then_a_free_one(tmp_path: Path) -> None:
    memory, first = tmp_path / "ports" / "api", free_port()
    assert _last_port(memory, first) == first
    assert _last_port(memory) == first
    with socket.create_server(("127.0.0.1", first)):
        other = _last_port(memory, first)
        assert other != first
    assert _last_port(memory, first) == other


@pytest.mark.parametrize("content", ["", "x", "-1", "0", "99999999", "80 "])
def test_a_damaged_memory_of_a_port_counts_as_none(tmp_path: Path, content: str) -> None:
    memory, first = tmp_path / "api", free_port()
    memory.write_text(content)
    assert _last_port(memory, first) == first


def test_two_stacks_get_two_ports_before_either_listens(tmp_path: Path) -> None:
    first = free_port()
    with usual_port(tmp_path / "one", first) as port, usual_port(tmp_path / "two", first) as other:
        assert port == first
        assert other != first
    # A reservation does not prevent its holder's server from listening.
    with usual_port(tmp_path / "one", first) as port, socket.create_server(("127.0.0.1", port)):
        assert port == first


_HOLDER = """
import signal, sys
from pathlib import Path
from devstack.ports import usual_port

with usual_port(Path(sys.argv[1])) as port:
    print(port, flush=True)
    signal.pause()
"""


def test_another_process_keeps_its_port_until_it_is_killed(tmp_path: Path, starter: Starter) -> None:
    holder = starter(_HOLDER, tmp_path / "one")
    port = int(holder.line())
    assert _last_port(tmp_path / "two", port) != port

    holder.kill()
    holder.wait()

    assert _last_port(tmp_path / "three", port) == port
