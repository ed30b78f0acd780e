"""The dashboard as a page: its panels where Grafana puts them, with the series that Prometheus returns.

Drawn by us for a picture of the documentation: Grafana itself is nothing that tests can install.
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

from tests.chaos.harness.prometheus import Prometheus
from tests.deploy.dashboard import DASHBOARD, queries_of

WIDTH = 1440
# Pixels of a column and a row of the grid, and between two panels.
_COLUMN, _ROW, _GAP = WIDTH // 24, 38, 8
_STEP = 3.0
_COLOURS = (
    "#73bf69",
    "#f2cc0c",
    "#5794f2",
    "#ff9830",
    "#f2495c",
    "#b877d9",
    "#37872d",
    "#e0b400",
    "#1f60c4",
    "#fa6400",
)
_LEGENDS = 7
_TICKS = 4
# Pixels around a plot: left of it the scale, below it the times, and behind these the legend.
_LEFT, _TOP, _RIGHT, _BELOW = 62, 34, 12, 46
_TIMES = (("d", 86_400.0), ("h", 3600.0), ("s", 1.0), ("ms", 0.001))
_SIZES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1.0))
_PER_SECOND = {"ops": " ops/s", "reqps": " req/s", "Bps": "/s"}
_STYLE = (
    "body{margin:0;background:#f4f5f5;font:12px sans-serif;color:#24292e;position:relative}"
    "section{position:absolute;box-sizing:border-box;background:#fff;border:1px solid #dcdde1;border-radius:3px}"
    "h1{position:absolute;font:600 15px sans-serif;margin:12px 8px}"
    "h2{font:500 13px sans-serif;margin:8px 10px;position:absolute}"
    "b{position:absolute;inset:36px 0 0;text-align:center;font:500 38px sans-serif}"
    "p{position:absolute;left:10px;right:6px;bottom:5px;margin:0;height:15px;overflow:hidden;white-space:nowrap}"
    "i{display:inline-block;width:12px;height:4px;border-radius:2px;margin:0 5px 3px 0}span{margin-right:12px}"
    "svg{position:absolute;left:0;top:0}text{fill:#6a6f76;font-size:11px}"
)


@dataclass(frozen=True)
class _Series:
    name: str
    # Times (Unix) and values; a value that is no number is a gap.
    points: list[tuple[float, float]]


def dashboard_page(prometheus: Prometheus, start: float, end: float) -> str:
    """The dashboard between two times (Unix), as HTML of WIDTH pixels."""
    height = _ROW * max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in DASHBOARD["panels"])
    content = "".join(_panel(panel, prometheus, start, end) for panel in DASHBOARD["panels"])
    style = f"{_STYLE}body{{width:{WIDTH}px;height:{height}px}}"
    return f"<!doctype html><meta charset=utf-8><title>Astegni</title><style>{style}</style><body>{content}"


def _panel(panel: dict[str, Any], prometheus: Prometheus, start: float, end: float) -> str:
    place = panel["gridPos"]
    left, top = place["x"] * _COLUMN, place["y"] * _ROW
    title = escape(panel["title"])
    if panel["type"] == "row":
        return f'<h1 style="left:{left}px;top:{top - 4}px">{title}</h1>'
    width, height = place["w"] * _COLUMN - _GAP, place["h"] * _ROW - _GAP
    series = [
        _Series(_legend(template, each["metric"], expression), [(at, float(value)) for at, value in each["values"]])
        for expression, template in queries_of(panel)
        for each in prometheus.query_range(expression, start, end, _STEP)
    ]
    defaults = panel["fieldConfig"]["defaults"]
    shown = (
        _stat(series, defaults) if panel["type"] == "stat" else _plot(series, defaults, (width, height), (start, end))
    )
    style = f"left:{left + _GAP / 2}px;top:{top}px;width:{width}px;height:{height}px"
    return f'<section style="{style}"><h2>{title}</h2>{shown}</section>'


def _legend(template: str, labels: dict[str, str], expression: str) -> str:
    if template == "__auto":
        metric = re.search(r"astegni_\w+", expression)
        return metric[0] if metric else expression
    return re.sub(r"\{\{(\w+)\}\}", lambda label: labels.get(label[1], ""), template).strip() or "value"


def _stat(series: list[_Series], defaults: dict[str, Any]) -> str:
    """The newest value, in the colour of the highest threshold that it reaches."""
    value = series[0].points[-1][1]
    reached = [
        step["color"] for step in defaults["thresholds"]["steps"] if step["value"] is None or value >= step["value"]
    ]
    colour = {"green": "#37872d", "red": "#c4162a"}[reached[-1]]
    return f'<b style="color:{colour}">{_shown(value, defaults["unit"])}</b>'


def _plot(series: list[_Series], defaults: dict[str, Any], size: tuple[int, int], span: tuple[float, float]) -> str:
    width, height = size
    values = [value for each in series for _at, value in each.points if math.isfinite(value)]
    bottom, top = min([0.0, *values]), max([0.0, *values])
    step = _tick((top - bottom) or 1.0)
    bottom, top = math.floor(bottom / step) * step, math.ceil((top or 1.0) / step) * step
    inner_width, inner_height = width - _LEFT - _RIGHT, height - _TOP - _BELOW

    def x(at: float) -> float:
        return _LEFT + (at - span[0]) / (span[1] - span[0]) * inner_width

    def y(value: float) -> float:
        return _TOP + (top - value) / (top - bottom) * inner_height

    marks = []
    for number in range(round((top - bottom) / step) + 1):
        value = bottom + number * step
        line = f'<path d="M{_LEFT} {y(value):.1f}h{inner_width}" stroke="#e5e6e9"/>'
        words = (
            f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{_shown(value, defaults["unit"])}</text>'
        )
        marks.append(line + words)
    for number in range(1, _TICKS):
        at = span[0] + (span[1] - span[0]) * number / _TICKS
        words = datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")
        marks.append(f'<text x="{x(at):.0f}" y="{height - _BELOW + 16}" text-anchor="middle">{words}</text>')
    for number, each in enumerate(series):
        colour = _COLOURS[number % len(_COLOURS)]
        marks.append(f'<path d="{_path(each.points, x, y)}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
    names = "".join(
        f'<span><i style="background:{_COLOURS[number]}"></i>{escape(each.name)}</span>'
        for number, each in enumerate(series[:_LEGENDS])
    )
    return f'<svg width="{width}" height="{height}">{"".join(marks)}</svg><p>{names}</p>'


def _path(points: list[tuple[float, float]], x: Any, y: Any) -> str:
    words, last = [], -math.inf
    for at, value in points:
        if math.isfinite(value):
            words.append(f"{'L' if at - last < 2 * _STEP else 'M'}{x(at):.1f} {y(value):.1f}")
            last = at
    return "".join(words)


def _tick(span: float) -> float:
    """The distance of two marks of a scale: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(span / _TICKS))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= span / _TICKS)


def _shown(value: float, unit: str) -> str:
    if unit == "bool_yes_no":
        return "Yes" if value else "No"
    if unit == "s":
        return _scaled(value, _TIMES)
    if unit in {"bytes", "decbytes", "Bps"}:
        return _scaled(value, _SIZES) + _PER_SECOND.get(unit, "")
    return f"{value:.4g}{_PER_SECOND.get(unit, ' d' if unit == 'd' else '')}"


def _scaled(value: float, units: tuple[tuple[str, float], ...]) -> str:
    name, factor = next((each for each in units if abs(value) >= each[1]), units[-1])
    return f"{value / factor:.3g} {name}" if value else "0"
