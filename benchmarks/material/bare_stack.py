"""Only database, broker and one worker: the environment for comparing the ledger with bare Celery."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg
import redis

from benchmarks.material.full_stack import wait_for
from devstack.directories import scratch_directory
from devstack.postgres import EmbeddedPostgres
from devstack.process import ChildProcess, wait_until
from devstack.valkey import EmbeddedValkey
from worker.cli.local_stack.environment import environment_for
from worker.migrate import migrate
from worker.settings import Settings

_ROOT = Path(__file__).parents[2]
_QUEUE, _UNACKED = "astegni:default", "astegni:unacked_index"
# A message is briefly in neither: popped, and not yet recorded as unacknowledged.
_EMPTY_LOOKS = 5


@dataclass
class BareStack:
    """Running servers and a migrated database."""

    settings: Settings
    folder: Path

    def connect(self) -> psycopg.Connection[Any]:
        """A connection to the database, each statement a transaction."""
        return psycopg.connect(str(self.settings.database_url), autocommit=True)

    @contextmanager
    def worker(self, which: Literal["ours", "bare", "patched"]) -> Iterator[ChildProcess]:
        """A ready worker of the ledger or of Celery alone; stopped at the end of the block."""
        sign = self.folder / f"{which}.ready"
        sign.unlink(missing_ok=True)
        process = ChildProcess(
            which,
            [sys.executable, "-m", "benchmarks.peers.noop_worker", which],
            self.folder / f"{which}.log",
            env={**environment_for(self.settings), "READY_FILE": str(sign), "REMAP_SIGTERM": "SIGQUIT"},
            cwd=_ROOT,
        )
        try:
            wait_until(sign.exists, process, 60)
            yield process
        finally:
            process.stop(30)

    def wait_until_broker_empty(self) -> None:
        """Wait until no message is queued or unacknowledged."""
        empty = 0
        with redis.Redis.from_url(str(self.settings.redis_url)) as client:

            def is_empty() -> bool:
                nonlocal empty
                left = int(client.llen(_QUEUE)) + int(client.zcard(_UNACKED))
                empty = 0 if left else empty + 1
                return empty >= _EMPTY_LOOKS

            wait_for(is_empty, pause=0.01)


@contextmanager
def running_bare_stack(*, watch_statements: bool = False) -> Iterator[BareStack]:
    """Run embedded servers as `astegni up` does; with `watch_statements` PostgreSQL counts each statement."""
    with (
        scratch_directory() as folder,
        EmbeddedPostgres(folder / "postgres") as postgres,
        EmbeddedValkey(folder / "valkey") as valkey,
    ):
        if watch_statements:
            _count_statements(postgres)
        settings = Settings(database_url=postgres.url(), redis_url=valkey.url(), spool_dir=folder / "spool")
        migrate(settings.sqlalchemy_url)
        yield BareStack(settings, folder)


def _count_statements(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
    postgres.stop()
    postgres.start()
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
