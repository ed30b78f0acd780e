"""Each page by WCAG 2.1: contrast, labels, focus, narrow screens, writing from right to left; by our own reading of the
page and by axe-core."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Chromium, Page
from tests.browser.npm import npm_file
from tests.browser.watch.conftest import Lesson, show_page
from tests.waiting import wait_for

_AXE = "axe-core@4.10.3"
_LOOK = (Path(__file__).parent / "look.js").read_text()
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
# What a page shows when it has played, was searched, and has something to say.
_USED = {
    "watch": "captions.value = 'am'; captions.dispatchEvent(new Event('change')); searchText.value = 'halves';"
    "document.getElementById('search').requestSubmit(); document.getElementById('start').click()",
    "pack": "captions.value = 'am'; captions.dispatchEvent(new Event('change'))",
}
# Forms and messages that are hidden until they are needed. What lies in the picture is there at other times, and some
# names are given when they are shown.
_REVEAL = """
  const hidden = document.querySelectorAll('main [hidden]:not(#picture *, #preview, #live, #fetchPages)');
  hidden.forEach((each) => { each.hidden = false; });
  const alerts = document.getElementById('alerts');
  if (alerts) {
    const warning = Object.assign(document.createElement('p'), { className: 'warning', textContent: 'A warning' });
    alerts.append(warning);
  }
"""


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    return npm_file(_AXE, "axe.min.js", tmp_path_factory.mktemp("axe")).decode()


def _light(page: Page, scheme: str) -> None:
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    page.call("Emulation.setEmulatedMedia", {"features": features})


def _faults(page: Page, *names: str) -> list[str]:
    faults = page.run(f"[{', '.join(f'...look.{name}()' for name in names)}]")
    return [str(fault) for fault in faults]


def _focus_faults(page: Page) -> list[str]:
    """Of each element that Tab reaches."""
    faults: list[str] = []
    page.run("document.activeElement?.blur()")
    for _ in range(page.run("document.querySelectorAll('a, button, input, select').length")):
        for kind in ("keyDown", "keyUp"):
            page.call("Input.dispatchKeyEvent", {"type": kind, "key": "Tab", "windowsVirtualKeyCode": 9})
        faults += _faults(page, "focusFaults")
    return faults


def _axe_faults(page: Page, axe: str) -> Any:
    """What axe-core finds."""
    page.run(f"{axe}; 0")
    options = f"{{ runOnly: {_RULES}, resultTypes: ['violations'] }}"
    summary = "violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html.slice(0, 200))])"
    return page.run(f"axe.run(document, {options}).then(({{ violations }}) => {summary})")


@pytest.mark.parametrize("name", ["watch", "index", "record", "plain", "pack"])
def test_a_page_is_for_everybody(
    lesson: Lesson, browser: Chromium, address_of: Callable[[str], str], axe: str, name: str
) -> None:
    page = show_page(lesson, browser, address_of, name, (320, 900))
    page.run(f"{_USED.get(name, '0')}; 0")
    page.run(_LOOK)
    faults = _faults(page, "smallFaults", "widthFaults")
    for scheme in ("light", "dark"):
        _light(page, scheme)
        faults += [f"{scheme}: {fault}" for fault in _faults(page, "textFaults", "controlFaults", "movingFaults")]
        faults += [f"{scheme}: {fault}" for fault in _focus_faults(page)]
        faults += [f"{scheme}, axe: {fault}" for fault in _axe_faults(page, axe)]
    page.run(f"{{ {_REVEAL} }}")
    for scheme in ("light", "dark"):
        _light(page, scheme)
        faults += [f"{scheme}, all: {fault}" for fault in _faults(page, "textFaults", "controlFaults", "labelFaults")]
    faults += _faults(page, "widthFaults")
    page.run("document.querySelector('[data-language=am]')?.click()")
    wait_for(lambda: page.run("document.documentElement.lang === 'am' || !document.querySelector('[data-language]')"))
    faults += [f"Amharic: {fault}" for fault in _faults(page, "widthFaults")]
    page.run("document.documentElement.dir = 'rtl'")
    faults += [f"right to left: {fault}" for fault in _faults(page, "widthFaults")]
    assert not faults, "\n".join(faults)
