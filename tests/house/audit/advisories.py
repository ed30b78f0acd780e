"""Known vulnerabilities of what is pinned, from a file of advisories in OSV's form: a zip with one JSON for each."""

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version


def read_advisories(database: Path) -> Iterator[dict[str, Any]]:
    """The advisories of the file, without withdrawn ones. Raises SystemExit when it is no such file."""
    try:
        with zipfile.ZipFile(database) as archive:
            documents = [json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")]
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise SystemExit(f"AUDIT_DATABASE: {database} is no zip of advisories in OSV's form ({error}).") from error
    if not documents or not all(isinstance(document, dict) and "id" in document for document in documents):
        raise SystemExit(f"AUDIT_DATABASE: {database} has no advisories, or something else.")
    return (document for document in documents if not document.get("withdrawn"))


def vulnerable(pins: Mapping[str, str], advisories: Iterator[dict[str, Any]]) -> list[str]:
    """A sentence for each advisory that is about a pinned version."""
    known = set()
    for advisory in advisories:
        for affected in advisory.get("affected", ()):
            package = affected.get("package", {})
            name = canonicalize_name(package.get("name", ""))
            if package.get("ecosystem") == "PyPI" and name in pins and _affects(affected, pins[name]):
                known.add(f"{name} {pins[name]}: {advisory['id']} {advisory.get('summary', '')}".rstrip())
    return sorted(known)


def _affects(affected: Mapping[str, Any], version: str) -> bool:
    ranges = (each for each in affected.get("ranges", ()) if each.get("type") == "ECOSYSTEM")
    return version in affected.get("versions", ()) or any(_is_within(each["events"], version) for each in ranges)


def _is_within(events: list[dict[str, str]], version: str) -> bool:
    """Whether the version is affected: the last event up to it introduced the fault (OSV's evaluation algorithm)."""
    pinned, inside = Version(version), False
    for kind, text in sorted((each for event in events for each in event.items()), key=lambda each: _order(each[1])):
        if kind == "introduced" and pinned >= _order(text):
            inside = True
        elif (kind == "fixed" and pinned >= _order(text)) or (kind == "last_affected" and pinned > _order(text)):
            inside = False
    return inside


def _order(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        # An advisory that cannot be read must not hide a vulnerability: as old as can be.
        return Version("0.dev0")
