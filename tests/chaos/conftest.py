"""Servers of the chaos tests' own: they are frozen and restarted, which no other test should feel."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from devstack.directories import scratch_directory
from tests.chaos.harness.environment import Environment, make_template
from tests.chaos.harness.servers import Servers
from tests.forking.forked_process import ForkServer
from tests.memory import memory_directory

_TEMPLATE = "chaos_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The three servers, each behind a proxy."""
    with scratch_directory(memory_directory()) as root, Servers(root) as running:
        make_template(running, _TEMPLATE)
        yield running


@pytest.fixture
def environment(servers: Servers, tmp_path: Path, fork_server: ForkServer) -> Iterator[Environment]:
    """A database, a broker without a message, no worker yet."""
    with new_environment(servers, tmp_path, fork_server) as environment:
        yield environment


@pytest.fixture
def unhurried(servers: Servers, tmp_path: Path, fork_server: ForkServer) -> Iterator[Environment]:
    """An environment with leases that outlast the test: what comes back only when one expires comes too late."""
    leases = {"run_lease": 60.0, "published_lease": 60.0, "published_lease_max": 60.0}
    with new_environment(servers, tmp_path, fork_server, **leases) as environment:
        yield environment


@contextmanager
def new_environment(servers: Servers, folder: Path, fork_server: ForkServer, **changes: Any) -> Iterator[Environment]:
    """An environment of its own, with these settings."""
    name = f"chaos_{next(_numbers)}"
    servers.restore()
    servers.postgres.create_database(name, _TEMPLATE)
    servers.broker.flush()
    with Environment(servers, folder, name, start=fork_server.start, **changes) as environment:
        yield environment
    servers.postgres.drop_database(name)
