"""The user that a server runs as: PostgreSQL refuses root, so root starts it as an account that owns nothing."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict


class PopenArguments(TypedDict, total=False):
    """Keyword arguments of `subprocess` that start a program as another user."""

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
        """Keyword arguments of `subprocess` for this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def reaches(self, path: Path) -> bool:
        """Whether it may traverse every directory down to `path` and enter or execute that; the kernel decides."""
        tested = subprocess.run(["/bin/sh", "-c", 'test -x "$0"', str(path)], check=False, **self.popen_arguments)
        return tested.returncode == 0


def unprivileged_account(data: Path) -> SystemAccount | None:
    """The account to run a server as: None (this process's own) unless this process is root.

    For root it is the owner of `data`, if that exists and is not root's, else `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return SystemAccount(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return SystemAccount(nobody.pw_uid, nobody.pw_gid)


@dataclass(frozen=True)
class InheritedDirectory:
    """The path by which a child process reaches a directory, and the descriptors it must inherit for that."""

    path: str
    descriptors: tuple[int, ...] = ()


@contextmanager
def inherit_directory(account: SystemAccount | None, directory: Path) -> Iterator[InheritedDirectory]:
    """Give children that run as `account` and start within the block access to `directory` for their lifetime.

    Below directories that are closed to other users (/root, pytest's temporary ones) a path does not work for the
    account. An inherited descriptor does, and no permission has to be widened.
    """
    if account is None:
        yield InheritedDirectory(str(directory))
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield InheritedDirectory(f"/proc/self/fd/{descriptor}", (descriptor,))
    finally:
        os.close(descriptor)
