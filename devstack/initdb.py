"""Make the data directory of an embedded PostgreSQL server."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.account import SystemAccount, lend
from devstack.errors import StartupFailed
from devstack.process import ChildProcess

SUPERUSER = "astegni"
# Nothing of ours: secrets do not travel, and PGDATA or LC_ALL of the shell must not decide anything.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}

_TIMEOUT = 60.0  # measured: 0.6 s
_OPTIONS = (
    f"--username={SUPERUSER}",
    "--encoding=UTF8",
    # The same order of texts on every machine, whatever locales it has.
    "--locale-provider=builtin",
    "--locale=C.UTF-8",
    "--auth=scram-sha-256",
    # Stretching protects passwords that people choose; 256 random bits need none, and every connection would pay.
    "--set=scram_iterations=1",
)


def make_data_directory(data: Path, initdb: Path, password: str, account: SystemAccount | None, log: Path) -> None:
    """Run the program `initdb` as `account`; raises StartupFailed.

    It works beside the final place, so that a data directory that is there is always whole.
    """
    unfinished = data.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if account is not None:
        os.chown(unfinished, account.uid, account.gid)
    with lend(account, unfinished) as place, _secret_file(password, account) as secret:
        process = ChildProcess(
            "initdb",
            [initdb, *_OPTIONS, f"--pwfile=/proc/self/fd/{secret}", f"--pgdata={place.path}"],
            log,
            env=ENVIRONMENT,
            account=account,
            cwd=Path("/"),
            pass_fds=[*place.descriptors, secret],
        )
        process.wait(_TIMEOUT)
        if process.kill() != 0:
            raise StartupFailed(f"initdb failed. {log} ends with:\n{process.log_tail()}")
    unfinished.rename(data)


@contextmanager
def _secret_file(text: str, account: SystemAccount | None) -> Iterator[int]:
    """The descriptor of a file without a name that only we and `account` can read."""
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.flush()
        if account is not None:
            os.fchown(file.fileno(), account.uid, account.gid)
        yield file.fileno()
