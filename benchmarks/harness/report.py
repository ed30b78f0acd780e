"""Reports of figures: tables on the terminal, and docs/benchmarks.md."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.harness.figure import Figure, Reading

_ROOT = Path(__file__).parents[2]
_PAGE = _ROOT / "docs" / "benchmarks.md"
_FOUND = Path(__file__).parents[1] / "found.md"
# A section: its title, and the name of the figure at the beginning of its first line.
_SECTION = re.compile(r"^## [^\n]+\n\n`(\w+)`, .*?(?=^## )", re.MULTILINE | re.DOTALL)
_HEADER = ("what", "measured", "beside", "ratio", "target", "")

_INTRODUCTION = """# Figures

Written by `make bench`; do not edit. Every figure is compared with a peer or a limit in the same run on the same
machine: compare the ratios, not the seconds. The measured system is the real stack of `astegni up` (PostgreSQL
with fsync, Valkey, the B2 emulator, API and workers as separate processes), on one machine that the peers and the
clients share. `measured` is the median of the repeats, with their minimum and maximum in parentheses, unless
stated otherwise; without a peer the ratio is to the target.
"""


@dataclass
class Results:
    """The sections of docs/benchmarks.md by the names of their figures. A new figure replaces its section."""

    sections: dict[str, str]

    @classmethod
    def read(cls) -> "Results":
        """Read the page with the results of earlier runs."""
        return cls({section[1]: section[0].rstrip("\n") + "\n" for section in _SECTION.finditer(_PAGE.read_text())})

    def keep(self, name: str, figure: Figure, busy: float) -> None:
        """Store a figure with today's date and the percentage of CPU that other processes used before it began."""
        self.sections[name] = _section(name, figure, busy)

    def write(self, machine: dict[str, str], names: list[str]) -> None:
        """Write the page, figures in the order of `names`."""
        facts = "".join(f"- {name}: {fact}\n" for name, fact in machine.items())
        sections = [self.sections[name] for name in names if name in self.sections]
        _PAGE.write_text(
            "\n".join([_INTRODUCTION, facts, *(text.rstrip("\n") + "\n" for text in sections), _FOUND.read_text()])
        )


def print_figure(console: Console, figure: Figure) -> None:
    """Print the figure as a table, and its notes."""
    table = Table(*_HEADER, title=figure.title, title_justify="left")
    for reading in figure.readings:
        cells = _cells(reading)
        colour = {"pass": "green", "MISS": "bold red"}.get(cells[-1], "")
        table.add_row(*cells[:-1], f"[{colour}]{cells[-1]}[/]" if colour else "")
    console.print(table)
    for note in figure.notes:
        console.print(f"- {note}", highlight=False, markup=False)


def _cells(reading: Reading) -> tuple[str, ...]:
    measured = f"{_number(reading.value)} {reading.unit}"
    if reading.spread is not None:
        measured += f" ({_number(reading.spread[0])} to {_number(reading.spread[1])})"
    beside = "" if reading.peer is None else f"{_number(reading.peer)} {reading.unit}: {reading.peer_name}"
    limit = reading.limit
    target = (
        "" if limit is None else f"{limit.sign} {limit.number:g} {'ratio' if limit.of == 'ratio' else reading.unit}"
    )
    ratio = "" if reading.ratio is None else f"{reading.ratio:.2f}" if reading.ratio >= 0.1 else f"{reading.ratio:.2g}"
    return reading.what, measured, beside, ratio, target, {None: "", True: "pass", False: "MISS"}[reading.kept]


def _number(value: float) -> str:
    """Three significant digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def _section(name: str, figure: Figure, busy: float) -> str:
    rows = [_cells(reading) for reading in figure.readings]
    lines = [
        f"## {figure.title}\n",
        f"`{name}`, {datetime.now(UTC):%Y-%m-%d}; processor used by others before it: {busy:.1f} %.\n",
        *(f"| {' | '.join(row)} |" for row in (_HEADER, ("---",) * len(_HEADER), *rows)),
        "",
        *(f"- {note}" for note in figure.notes),
    ]
    return "\n".join(lines) + "\n"
