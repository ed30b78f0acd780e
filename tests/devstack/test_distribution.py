"""devstack is a distribution of its own: its wheel, alone in a new environment, and what its README says."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path
from signal import SIGTERM
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from devstack.ports import free_port
from devstack.process import ChildProcess

ROOT = Path(__file__).parents[2]
DEVSTACK = ROOT / "devstack"
PROJECT = tomllib.loads((DEVSTACK / "pyproject.toml").read_text())["project"]
README = (DEVSTACK / "README.md").read_text()
UV = Path(sys.executable).with_name("uv")
# Everything but what the extras bring.
_IMPORT_ALL = """
import importlib, json, pkgutil, devstack
missing = {}
for module in pkgutil.walk_packages(devstack.__path__, "devstack."):
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        missing[module.name] = error.name
print(json.dumps(missing))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: setuptools writes beside its sources."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "devstack"
    shutil.copytree(DEVSTACK, source, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    subprocess.run(
        [UV, "build", "--quiet", "--wheel", "--offline", "--no-build-isolation", "--python", sys.executable,
         "--out-dir", folder, source],
        check=True,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment that has the wheel and what it declares, copied from this environment."""
    folder = tmp_path_factory.mktemp("alone")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    install: list[str | Path] = [UV, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel]
    subprocess.run(install, check=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    for needed in _closure(PROJECT["dependencies"]):
        _copy(needed, site_packages)
    return folder / "bin"


def _closure(requirements: list[str]) -> list[Distribution]:
    """What these requirements need here, without extras."""
    distributions: dict[str, Distribution] = {}
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        requirement = waiting.pop()
        if requirement.name in distributions or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        distributions[requirement.name] = distribution(requirement.name)
        assert requirement.specifier.contains(distributions[requirement.name].version)
        waiting += [Requirement(text) for text in distributions[requirement.name].requires or []]
    return list(distributions.values())


def _copy(package: Distribution, site_packages: Path) -> None:
    for file in package.files or []:
        if ".." not in file.parts and file.suffix != ".pyc":
            target = site_packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), target)


def _output(*command: str | Path) -> str:
    environment = {"PATH": os.defpath}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd="/").stdout


def test_the_wheel_holds_every_module_and_the_licence(wheel: Path) -> None:
    modules = {f"devstack/{path.relative_to(DEVSTACK)}" for path in DEVSTACK.rglob("*.py") if "build" not in path.parts}
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name for name in names if name.endswith(".py")} == modules
    assert "devstack/py.typed" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert (DEVSTACK / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_alone_only_what_extras_bring_is_missing(alone: Path) -> None:
    assert json.loads(_output(alone / "python", "-P", "-c", _IMPORT_ALL)) == {
        "devstack.postgres": "psycopg",
        "devstack.valkey": "redis",
    }


def test_alone_it_says_which_extra_a_mailbox_needs(alone: Path) -> None:
    ended = subprocess.run([alone / "mail-catcher"], env={}, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(
        "mail-catcher: The package aiosmtpd is not installed. Install devstack with its extra"
    )


def test_requirements_pin_all_that_it_declares() -> None:
    """The checkout installs it without dependencies, so the files of the project have to bring them."""
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements-embedded.txt").read_text(), re.MULTILINE))
    extras = [text for texts in PROJECT["optional-dependencies"].values() for text in texts]
    for requirement in map(Requirement, [*PROJECT["dependencies"], *extras]):
        assert requirement.specifier.contains(pinned[requirement.name]), requirement


def test_the_extra_of_the_project_is_what_devstack_adds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {text for texts in PROJECT["optional-dependencies"].values() for text in texts}
    assert extras - set(project["dependencies"]) == set(project["optional-dependencies"]["embedded"])


@pytest.fixture(scope="module")
def environment(alone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """For the README's commands: those of the wheel alone first, then `b2`; `pip` only checks the path it is given."""
    folder = tmp_path_factory.mktemp("readme")
    pip = folder / "pip"
    pip.write_text('#!/bin/sh\nset -eu\ntest "$1" = install\ntest -e "${2%%[[]*}/pyproject.toml"\n')
    pip.chmod(0o755)
    path = f"{folder}:{alone}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(folder), "TMPDIR": str(folder)}


def _blocks(language: str) -> str:
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))


def test_what_the_readme_says_works(environment: dict[str, str], tmp_path: Path) -> None:
    """Its shell blocks, then its Python blocks, in the environment that the shell has by then."""
    assert set(re.findall(r"^```(\w+)$", README, re.MULTILINE)) == {"sh", "python"}
    # Its mailbox needs an extra, which is here and not in the new environment.
    # The folder of the page first: this interpreter may stand below /tmp itself.
    commands = _blocks("sh").replace("/tmp/", "./")  # noqa: S108 - a literal of the page
    commands = commands.replace("mail-catcher", f"{sys.executable} -P -m devstack.mailbox")
    # The port of the page may be taken.
    assert "--port 8765 " in commands
    commands = commands.replace("8765", str(free_port()))
    (tmp_path / "devstack").symlink_to(DEVSTACK)
    (tmp_path / "blocks.py").write_text(_blocks("python"))
    script = f"trap 'kill $(jobs -p)' EXIT\n{commands}\n{sys.executable} -P blocks.py\n"
    log = tmp_path / "log"
    # SIGTERM also when this process is killed: then bash ends its jobs.
    shell = ChildProcess(
        "README", ["bash", "-euo", "pipefail", "-c", script], log, env=environment, cwd=tmp_path, death_signal=SIGTERM
    )
    shell.wait(600)
    # With its whole group: a script that does not end leaves no server behind.
    code, output = shell.kill(), log.read_text()
    assert code == 0, output
    assert "notes/one.txt" in output
    assert re.search(r"Mail sent to 127\.0\.0\.1:\d+ is shown at http://127\.0\.0\.1:\d+", output)
