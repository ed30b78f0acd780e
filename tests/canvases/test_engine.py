"""Where libGL or libEGL is missing, only drawing fails, and it says what to install."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.waiting import TIMEOUT

# Without each library in turn, then with both; one process, since the imports take most of its time.
SCRIPT = """
import importlib, io, json, pkgutil, sys
from pathlib import Path

import worker.app, worker.cli.main, worker.api, tasks, worker.workflows, worker.canvases
from worker.errors import AstegniError

for package in (worker.canvases, worker.workflows, tasks, worker.api):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)

from worker.canvases.stored.pages import read_page
from worker.canvases.drawing.pdf import write_pdf
from worker.canvases.drawing.raster import write_png, write_thumbnail
from worker.canvases.drawing.svg import write_svg

def outcome(folder):
    page = read_page({"strokes": [{"stroke_type": "pen", "stroke_data": {"points": [[1, 2], [3, 4]]}}]})
    found = {"drawn": len(page.drawn), "loaded": "skia" in sys.modules}
    for write in (write_png, write_thumbnail, write_svg, lambda page, _out: write_pdf([page], folder / "pdf", "title")):
        try:
            write(page, io.BytesIO())
        except AstegniError as error:
            found.setdefault("errors", []).append([type(error).__name__, error.code, str(error)])
    return found

path, outcomes = Path(sys.argv[1]), {}
for library in ("libGL.so.1", "libEGL.so.1"):
    # The loader takes the first file of that name on its path, and this one is no library.
    (path / library).write_bytes(b"not a library")
    outcomes[library] = outcome(path)
    (path / library).unlink()
outcomes["with both"] = outcome(path)
print(json.dumps(outcomes))
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What happens without each library, and with both."""
    path = tmp_path_factory.mktemp("libraries")
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        env={**os.environ, "LD_LIBRARY_PATH": str(path)},
        check=False,
    )
    assert run.returncode == 0, run.stderr
    result: dict[str, Any] = json.loads(run.stdout)
    return result


@pytest.mark.parametrize("library", ["libGL.so.1", "libEGL.so.1"])
def test_only_drawing_fails_without_its_libraries(library: str, outcomes: dict[str, Any]) -> None:
    report = outcomes[library]

    assert report["drawn"] == 1
    assert not report["loaded"]
    assert len(report["errors"]) == 4
    for name, code, message in report["errors"]:
        assert (name, code) == ("EngineMissing", "drawing-engine-missing")
        assert library in message
        assert "libgl1" in message
        assert "libegl1" in message


@pytest.mark.drawing
def test_nothing_fails_with_its_libraries(outcomes: dict[str, Any]) -> None:
    assert outcomes["with both"] == {"drawn": 1, "loaded": False}
