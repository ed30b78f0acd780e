"""deploy/grafana/astegni.json: its panels, and what they ask of Prometheus."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "astegni.json").read_text())
# What Grafana puts there, for the scrapes of these tests.
_RATE_INTERVAL = "1m"


def panels() -> Iterator[dict[str, Any]]:
    """The panels that ask something."""
    return (panel for panel in DASHBOARD["panels"] if panel["type"] != "row")


def queries_of(panel: dict[str, Any]) -> list[tuple[str, str]]:
    """Expressions of a panel as Prometheus gets them, each with the template of its legend."""
    return [
        (target["expr"].replace("$__rate_interval", _RATE_INTERVAL), target.get("legendFormat", "__auto"))
        for target in panel.get("targets", [])
    ]
