"""Whether each component has a licence that NOTICE allows."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

# "All other packages are under permissive licences (MIT, BSD, Apache-2.0, ISC, PSF)", by SPDX's names.
PERMISSIVE = frozenset(
    {
        *("MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0", "ISC", "PSF-2.0", "Zlib", "CC0-1.0"),
        *("License :: OSI Approved :: Apache Software License", "License :: OSI Approved :: BSD License"),
        *("License :: OSI Approved :: MIT License", "License :: OSI Approved"),
    }
)
# Those that NOTICE names one by one.
NAMED = {
    "psycopg": {"LGPL-3.0-only"},
    "psycopg-binary": {"LGPL-3.0-only"},
    "certifi": {"MPL-2.0", "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)"},
    "fontpkg-arimo": {"OFL-1.1"},
    "manimgx-fonts": {"OFL-1.1"},
    "manimgx-fonts-cjk": {"OFL-1.1"},
}
# Their metadata have none; their files have.
UNSTATED = {"protobuf": "BSD-3-Clause"}


def licences_of(component: Mapping[str, Any]) -> set[str]:
    """All names of licences that a component states, those of expressions one by one."""
    names = {name for each in component.get("licenses", ()) for name in _names(each)}
    return names or {UNSTATED[name] for name in (component["name"],) if name in UNSTATED}


def refused(components: list[dict[str, Any]]) -> Iterator[str]:
    """A sentence for each component without a licence, or with one that NOTICE does not allow."""
    for component in components:
        name, names = component["name"], licences_of(component)
        # "OSI Approved" alone says nothing.
        if not names - {"License :: OSI Approved"}:
            yield f"{name} states no licence."
        for licence in sorted(names - PERMISSIVE - NAMED.get(name, set())):
            yield f"{name} is under {licence}, which NOTICE does not allow."


def _names(stated: Mapping[str, Any]) -> list[str]:
    if "expression" in stated:
        return re.split(r" (?:AND|OR|WITH) ", re.sub(r"[()]", "", stated["expression"]))
    return [stated["license"].get("id") or stated["license"]["name"]]
