"""Where libGL or libEGL is missing, only drawing fails, and it says what to install."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = """
import importlib, io, json, pkgutil, sys

import worker.app, worker.cli.main, worker.api, tasks, worker.workflows, worker.canvases
from worker.errors import AstegniError

for package in (worker.canvases, worker.workflows, tasks, worker.api):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)

from pathlib import Path
from worker.canvases.stored.pages import read_page
from worker.canvases.drawing.pdf import write_pdf
from worker.canvases.drawing.raster import write_png, write_thumbnail
from worker.canvases.drawing.svg import write_svg

page = read_page({"strokes": [{"stroke_type": "pen", "stroke_data": {"points": [[1, 2], [3, 4]]}}]})
told = {"drawn": len(page.drawn), "loaded": "skia" in sys.modules}
document = Path(sys.argv[1], "title.pdf")
for write in (write_png, write_thumbnail, write_svg, lambda page, _out: write_pdf([page], document, "title")):
    try:
        write(page, io.BytesIO())
    except AstegniError as error:
        told.setdefault("errors", []).append([type(error).__name__, error.code, str(error)])
print(json.dumps(told))
"""


def _run(folder: Path, **environment: str) -> dict[str, Any]:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
        check=False,
    )
    assert run.returncode == 0, run.stderr
    report: dict[str, Any] = json.loads(run.stdout)
    return report


@pytest.mark.parametrize("library", ["libGL.so.1", "libEGL.so.1"])
def test_only_drawing_fails_without_its_libraries(library: str, tmp_path: Path) -> None:
    # The loader takes the first file of that name on its path, and this one is no library.
    (tmp_path / library).write_bytes(b"not a library")
    report = _run(tmp_path, LD_LIBRARY_PATH=str(tmp_path))

    assert report["drawn"] == 1
    assert not report["loaded"]
    assert len(report["errors"]) == 4
    for name, code, message in report["errors"]:
        assert (name, code) == ("EngineMissing", "drawing-engine-missing")
        assert library in message
        assert "libgl1" in message
        assert "libegl1" in message


@pytest.mark.drawing
def test_nothing_fails_with_its_libraries(tmp_path: Path) -> None:
    report = _run(tmp_path)
    assert report == {"drawn": 1, "loaded": False}
