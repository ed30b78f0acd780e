"""The list of the image's components in CycloneDX's form, made by cyclonedx-py of what is installed."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from packaging.utils import canonicalize_name


def component_list(pins: Mapping[str, str]) -> dict[str, Any]:
    """The document, of the `pins` alone: this environment has developers' tools as well."""
    # Not validated: that takes 12 s of processor time, for a document of which only a part is kept.
    options = ("--output-reproducible", "--no-validate")
    command = [sys.executable, "-m", "cyclonedx_py", "environment", *options, sys.executable]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"cyclonedx-py failed:\n{run.stderr}")
    document: dict[str, Any] = json.loads(run.stdout)
    document["components"] = [each for each in document["components"] if canonicalize_name(each["name"]) in pins]
    kept = {each["bom-ref"] for each in document["components"]}
    document["dependencies"] = [
        {**each, "dependsOn": [ref for ref in each.get("dependsOn", ()) if ref in kept]}
        for each in document["dependencies"]
        if each["ref"] in kept
    ]
    return document
