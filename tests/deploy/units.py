"""systemd's units and environment files, parsed as systemd does, as far as ours need it."""

from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
PREFIX = "/opt/astegni/bin/astegni"
UNITS = sorted(path.name for path in FOLDER.glob("*.service"))

Options = dict[tuple[str, str], list[str]]


def read_unit(name: str) -> Options:
    """Values by (section, key), those of the drop-in for all units first."""
    options: Options = {}
    for path in (*sorted(FOLDER.glob("astegni-.service.d/*.conf")), FOLDER / name):
        for section, key, value in _lines(path):
            options.setdefault((section, key), []).append(value)
    return options


def service(name: str, key: str) -> list[str]:
    """The values of a key of the section `Service`."""
    return read_unit(name).get(("Service", key), [])


def words_of(name: str) -> list[str]:
    """The words of the unit's command, after `astegni`."""
    (command,) = service(name, "ExecStart")
    program, *words = command.split()
    assert program == PREFIX
    return words


def seconds(text: str) -> int:
    """A time like `35` or `10min`."""
    factor = 60 if text.endswith("min") else 1
    return int(text.removesuffix("min")) * factor


def environment_files(name: str) -> list[str]:
    """Names of the files of a unit's environment."""
    return [value.removeprefix("-").removeprefix("/etc/astegni/") for value in service(name, "EnvironmentFile")]


def variables_of(file: str) -> dict[str, str]:
    """Variables of an example file, those that are commented out included."""
    lines = (line.removeprefix("#") for line in (FOLDER / "etc" / file).read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and line[0].isupper())
    return {name: value for name, equals, value in pairs if equals and name.isupper()}


def variables(name: str) -> set[str]:
    """Names of all variables that a unit's process may have."""
    own = {pair.partition("=")[0] for value in service(name, "Environment") for pair in value.split()}
    return own.union(*map(variables_of, environment_files(name)))


def _lines(path: Path) -> Iterator[tuple[str, str, str]]:
    section = ""
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, f"{path.name}: {line}"
            yield section, key, value
