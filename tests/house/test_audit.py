"""`make audit`: the list of components is complete, licences are NOTICE's, and advisories are found by version."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.house.audit.advisories import read_advisories, vulnerable
from tests.house.audit.licences import NAMED, licences_of, refused
from tests.house.audit.pins import ROOT, pinned, pinned_here
from tests.house.audit.run import LIST


@pytest.fixture(scope="module")
def audit() -> subprocess.CompletedProcess[str]:
    """How `make audit` ends without a database of advisories, and what it prints."""
    LIST.unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if name != "AUDIT_DATABASE"}
    command = [sys.executable, "-m", "tests.house.audit.run"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def document(audit: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The list of components, which that run has written."""
    written: dict[str, Any] = json.loads(LIST.read_text())
    return written


def test_every_pinned_requirement_is_a_component(document: dict[str, Any]) -> None:
    listed = {
        each["name"].lower().replace("_", "-").replace(".", "-"): each["version"] for each in document["components"]
    }
    assert (document["bomFormat"], listed) == ("CycloneDX", pinned_here())


def test_every_component_has_a_licence_that_notice_allows(document: dict[str, Any]) -> None:
    assert list(refused(document["components"])) == []
    notice = (ROOT / "NOTICE").read_text()
    assert [name for name in NAMED if name not in notice] == []


def test_another_licence_is_refused() -> None:
    def named(*licences: dict[str, Any]) -> dict[str, Any]:
        return {"name": "x", "licenses": list(licences)}

    assert licences_of(named({"expression": "MIT OR GPL-3.0-only"})) == {"MIT", "GPL-3.0-only"}
    strong = named({"license": {"id": "AGPL-3.0-only"}})
    assert list(refused([strong, named()])) == [
        "x is under AGPL-3.0-only, which NOTICE does not allow.",
        "x states no licence.",
    ]


def test_pins_for_other_systems_are_left_out() -> None:
    text = "A_b==1.0 \\\n    --hash=sha256:0\nc==2 ; sys_platform == 'win32' \\\n    --hash=sha256:1\n"
    assert pinned(text) == {"a-b": "1.0"}


def advisory(name: str = "a-b", ecosystem: str = "PyPI", **affected: Any) -> dict[str, Any]:
    return {
        "id": "X-1",
        "summary": "bad",
        "affected": [{"package": {"name": name, "ecosystem": ecosystem}, **affected}],
    }


def events(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"ranges": [{"type": "ECOSYSTEM", "events": [dict([pair]) for pair in pairs]}]}


@pytest.mark.parametrize(
    ("document", "is_found"),
    [
        (advisory(versions=["1.10"]), True),
        (advisory("A.b", versions=["1.10"]), True),
        (advisory(versions=["1.1"]), False),
        (advisory(ecosystem="npm", versions=["1.10"]), False),
        (advisory(**events(("introduced", "0"))), True),
        (advisory(**events(("introduced", "0"), ("fixed", "1.9"))), False),
        (advisory(**events(("introduced", "0"), ("fixed", "1.11"))), True),
        (advisory(**events(("introduced", "0"), ("fixed", "1.10"))), False),
        (advisory(**events(("introduced", "0"), ("last_affected", "1.10"))), True),
        (advisory(**events(("introduced", "0"), ("fixed", "1.2"), ("introduced", "1.10"))), True),
        ({**advisory(versions=["1.10"]), "withdrawn": "2026-01-01T00:00:00Z"}, False),
    ],
)
def test_advisories_are_found_by_name_and_version(document: dict[str, Any], is_found: bool, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("X-1.json", json.dumps(document))
    vulnerabilities = vulnerable({"a-b": "1.10"}, read_advisories(tmp_path / "all.zip"))
    assert vulnerabilities == (["a-b 1.10: X-1 bad"] if is_found else [])


@pytest.mark.parametrize("content", [b"", b"[]", b"PK"])
def test_a_file_that_is_no_database_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "all.zip").write_bytes(content)
    with pytest.raises(SystemExit, match="no zip of advisories"):
        read_advisories(tmp_path / "all.zip")


def test_it_says_loudly_that_there_is_no_database(audit: subprocess.CompletedProcess[str]) -> None:
    assert (audit.returncode, "NOT AUDITED" in audit.stderr) == (2, True)
    assert audit.stdout == f"{len(pinned_here())} components: .data/components.cdx.json\n"
