"""The costs of docs/scale.md are its amounts times its prices."""

from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
_PRICES, _OF_LESSONS = "| price of ", "| of 1,000 "


def tables(heading: str) -> list[list[list[str]]]:
    """The rows of each table whose first line begins so."""
    cells: list[list[list[str]]] = []
    lines = PAGE.read_text().splitlines()
    for at, line in enumerate(lines):
        if line.startswith(heading):
            end = lines.index("", at)
            cells.append([[cell.strip() for cell in row.strip("|").split("|")] for row in lines[at + 2 : end]])
    return cells


@pytest.mark.parametrize("row", [row for table in tables(_OF_LESSONS) for row in table], ids=lambda row: row[0])
def test_each_cost_is_its_amount_at_a_stated_price(row: list[str]) -> None:
    (prices,) = ({price for _what, price in table} for table in tables(_PRICES))
    _what, amount, _unit, price, cost = row
    assert price in prices
    # Amounts are rounded.
    assert float(cost) == pytest.approx(float(amount) * float(price), abs=0.0051)
