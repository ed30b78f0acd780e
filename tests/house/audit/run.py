"""`make audit`: components, licences and known vulnerabilities of what requirements.txt pins."""

import json
import os
import sys
from pathlib import Path

from tests.house.audit.advisories import read_advisories, vulnerable
from tests.house.audit.components import component_list
from tests.house.audit.licences import refused
from tests.house.audit.pins import ROOT, pinned_here

LIST = ROOT / ".data" / "components.cdx.json"
_NOT_LOOKED_FOR = """
NOT AUDITED: known vulnerabilities were not looked for. Set AUDIT_DATABASE to a file of advisories: the zip that OSV
publishes for PyPI (all.zip), fetched where there is a network.
"""


def main() -> int:
    """The exit status: 0 nothing was found, 1 something was, 2 vulnerabilities were not looked for."""
    pins = pinned_here()
    document = component_list(pins)
    LIST.parent.mkdir(exist_ok=True)
    LIST.write_text(json.dumps(document, indent=2))
    problems = list(refused(document["components"]))
    database = os.environ.get("AUDIT_DATABASE")
    if database:
        problems += vulnerable(pins, read_advisories(Path(database)))
    lines = [f"{len(document['components'])} components: {LIST.relative_to(ROOT)}", *problems]
    sys.stdout.write("\n".join(lines) + "\n")
    if problems:
        return 1
    if not database:
        sys.stderr.write(_NOT_LOOKED_FOR)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
