"""Which user a server runs as: PostgreSQL refuses root, so root lends it an account that owns nothing."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict


class PopenArguments(TypedDict, total=False):
    """What `subprocess` needs to start a program as another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class SystemAccount:
    """A user and a group, without supplementary groups."""

    uid: int
    gid: int

    @property
    def popen_arguments(self) -> PopenArguments:
        """Keyword arguments for subprocess."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def reaches(self, path: Path) -> bool:
        """Whether it may pass every directory down to `path` and enter or run that; asked of the kernel itself."""
        asked = subprocess.run(["/bin/sh", "-c", 'test -x "$0"', str(path)], check=False, **self.popen_arguments)
        return asked.returncode == 0


def unprivileged_account(data: Path) -> SystemAccount | None:
    """The account a server of ours runs as: None (ourselves) unless we are root, then the owner of `data` if it
    exists and is not root, else `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return SystemAccount(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return SystemAccount(nobody.pw_uid, nobody.pw_gid)


@dataclass(frozen=True)
class LentDirectory:
    """How a child process names a directory of ours, and the descriptors it must inherit for that."""

    path: str
    descriptors: tuple[int, ...] = ()


@contextmanager
def lend(account: SystemAccount | None, directory: Path) -> Iterator[LentDirectory]:
    """Let children run as `account` that are started within the block use `directory` as long as they live.

    Below closed folders (/root, pytest's temporary folders, our own) a path is of no use to another user. An open
    descriptor is, and no folder has to be opened to other users for it.
    """
    if account is None:
        yield LentDirectory(str(directory))
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield LentDirectory(f"/proc/self/fd/{descriptor}", (descriptor,))
    finally:
        os.close(descriptor)
