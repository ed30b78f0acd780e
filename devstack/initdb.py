"""Create the data directory of an embedded PostgreSQL server."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.account import SystemAccount, inherit_directory
from devstack.errors import StartupFailed
from devstack.process import ChildProcess

SUPERUSER = "astegni"
# Nothing is inherited: no secret is passed on, and PGDATA or LC_ALL of the shell has no effect.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}

_TIMEOUT = 60.0  # measured: 0.6 s
_OPTIONS = (
    f"--username={SUPERUSER}",
    "--encoding=UTF8",
    # The same collation on every machine, whatever locales it has.
    "--locale-provider=builtin",
    "--locale=C.UTF-8",
    "--auth=scram-sha-256",
    # Iterations protect passwords that people choose; 256 random bits need none, and each connection would pay.
    "--set=scram_iterations=1",
)


def make_data_directory(data: Path, initdb: Path, password: str, account: SystemAccount | None, log: Path) -> None:
    """Run the program `initdb` as `account`; raises StartupFailed.

    It writes to a temporary name next to `data`, so that an existing data directory is always complete.
    """
    unfinished = data.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if account is not None:
        os.chown(unfinished, account.uid, account.gid)
    with inherit_directory(account, unfinished) as directory, _secret_file(password, account) as secret:
        process = ChildProcess(
            "initdb",
            [initdb, *_OPTIONS, f"--pwfile=/proc/self/fd/{secret}", f"--pgdata={directory.path}"],
            log,
            env=ENVIRONMENT,
            account=account,
            cwd=Path("/"),
            pass_fds=[*directory.descriptors, secret],
        )
        process.wait(_TIMEOUT)
        if process.kill() != 0:
            raise StartupFailed(f"initdb failed. {log} ends with:\n{process.log_tail()}")
    unfinished.rename(data)


@contextmanager
def _secret_file(text: str, account: SystemAccount | None) -> Iterator[int]:
    """The descriptor of an unnamed file that only this user and `account` can read."""
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.flush()
        if account is not None:
            os.fchown(file.fileno(), account.uid, account.gid)
        yield file.fileno()
