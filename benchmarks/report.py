"""Reports of figures: tables on the terminal, JSON for machines, docs/figures.md for readers."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure, Reading

_ROOT = Path(__file__).parent.parent
_JSON = _ROOT / ".data" / "bench" / "results.json"
_PAGE = _ROOT / "docs" / "figures.md"
_FOUND = Path(__file__).with_name("found.md")
_HEADER = ("what", "measured", "beside", "ratio", "target", "")

_INTRODUCTION = """# Figures

Written by `make bench`; do not edit. Every figure stands beside a peer or a limit of the same run on the same
machine: compare the ratios, not the seconds. Everything measured is the real stack of `astegni up` (PostgreSQL with
fsync, Valkey, the B2 emulator, API and workers as processes of their own), all on one machine, which the peers and
the clients share. `measured` is the median of the repeats, with the least and the most of them, unless it says
otherwise; without a peer the ratio is to the target.
"""


@dataclass
class Results:
    """The latest results, by figure."""

    figures: dict[str, Any]

    @classmethod
    def read(cls) -> "Results":
        """Results of earlier runs; a figure that is measured again replaces its old one."""
        return cls(json.loads(_JSON.read_text())["figures"] if _JSON.exists() else {})

    def keep(self, name: str, figure: Figure, busy: float) -> None:
        """Add a figure, with the time and the CPU use of other processes before it began."""
        self.figures[name] = {
            "title": figure.title,
            "measured_at": datetime.now(UTC).isoformat(timespec="minutes"),
            "others_used_percent": round(busy, 1),
            "readings": [_as_json(reading) for reading in figure.readings],
            "notes": figure.notes,
        }

    def write(self, machine: dict[str, str], names: list[str]) -> None:
        """Write the JSON file and the page, figures in the order of `names`."""
        _JSON.parent.mkdir(parents=True, exist_ok=True)
        ordered = {name: self.figures[name] for name in names if name in self.figures}
        _JSON.write_text(json.dumps({"machine": machine, "figures": ordered}, indent=1, ensure_ascii=False) + "\n")
        _PAGE.write_text(_page(machine, ordered))


def print_figure(console: Console, figure: Figure) -> None:
    """Print the figure as a table, and its notes."""
    table = Table(*_HEADER, title=figure.title, title_justify="left")
    for reading in figure.readings:
        cells = _cells(_as_json(reading))
        colour = {"pass": "green", "MISS": "bold red"}.get(cells[-1], "")
        table.add_row(*cells[:-1], f"[{colour}]{cells[-1]}[/]" if colour else "")
    console.print(table)
    for note in figure.notes:
        console.print(f"- {note}", highlight=False, markup=False)


def _as_json(reading: Reading) -> dict[str, Any]:
    limit = reading.limit
    return {
        "what": reading.what,
        "value": reading.value,
        "unit": reading.unit,
        "least": reading.spread and reading.spread[0],
        "most": reading.spread and reading.spread[1],
        "peer": reading.peer,
        "peer_name": reading.peer_name,
        "ratio": reading.ratio,
        "target": limit and {"of": limit.of, "sign": limit.sign, "number": limit.number},
        "kept": reading.kept,
    }


def _cells(reading: dict[str, Any]) -> tuple[str, ...]:
    unit, target = reading["unit"], reading["target"]
    measured = f"{_number(reading['value'])} {unit}"
    if reading["least"] is not None:
        measured += f" ({_number(reading['least'])} to {_number(reading['most'])})"
    beside = "" if reading["peer"] is None else f"{_number(reading['peer'])} {unit}: {reading['peer_name']}"
    wanted = ""
    if target is not None:
        wanted = f"{target['sign']} {target['number']:g}" + (" ratio" if target["of"] == "ratio" else f" {unit}")
    ratio = "" if reading["ratio"] is None else f"{reading['ratio']:.2f}"
    verdict = {None: "", True: "pass", False: "MISS"}[reading["kept"]]
    return reading["what"], measured, beside, ratio, wanted, verdict


def _number(value: float) -> str:
    """Three significant digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def _page(machine: dict[str, str], figures: dict[str, Any]) -> str:
    parts = [_INTRODUCTION, "\n".join(f"- {name}: {fact}" for name, fact in machine.items()) + "\n"]
    parts += [_section(name, figure) for name, figure in figures.items()]
    return "\n".join([*parts, _FOUND.read_text()])


def _section(name: str, figure: dict[str, Any]) -> str:
    rows = [_cells(reading) for reading in figure["readings"]]
    others = f"processor used by others before it: {figure['others_used_percent']:g} %"
    lines = [
        f"## {figure['title']}\n",
        f"`{name}`, {figure['measured_at'][:10]}; {others}.\n",
        *(f"| {' | '.join(row)} |" for row in (_HEADER, ("---",) * len(_HEADER), *rows)),
        "",
        *(f"- {note}" for note in figure["notes"]),
    ]
    return "\n".join(lines) + "\n"
