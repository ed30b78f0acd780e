"""`astegni canvas render`: complete files or none, and a message about strokes that were not drawn."""

import io
import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from tests.cli.conftest import CallCommand
from worker.cli.local_stack.command import astegni
from worker.cli.local_stack.environment import environment_without_settings
from worker.media.probing.packet_reading import probe
from worker.media.processes.binaries import find_binaries
from worker.settings import Settings

WAVE = {"stroke_type": "pen", "stroke_order": 1, "stroke_data": {"points": [[10, 10], [90, 60], [150, 20]]}}
LETTERS = {"stroke_type": "text", "stroke_order": 2, "stroke_data": {"text": "ሰላም a²", "x": 20, "y": 90}}
BOARD = {"page_title": "Page 1 - ሒሳብ", "background_color": "#FFFFFF", "strokes": [WAVE, LETTERS]}
PAGES = {"pages": [BOARD, {"page_title": "Page 2", "strokes": [{"stroke_type": None, "stroke_data": None}]}]}


def run(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call `astegni` in the folder `home`, with `environment` besides our own."""
    return subprocess.run(
        astegni(*words),
        cwd=home,
        env=environment_without_settings() | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def write(home: Path, board: object) -> None:
    (home / "board.json").write_text(board if isinstance(board, str) else json.dumps(board))


@pytest.fixture
def render(tmp_path: Path, call_command: CallCommand) -> Any:
    """Write a board into a file and call `astegni canvas render` on it, in this process."""

    def call(board: object, *words: str) -> Any:
        write(tmp_path, board)
        return call_command(["canvas", "render", "board.json", *words], environment_without_settings(), tmp_path)

    return call


@pytest.fixture
def render_apart(tmp_path: Path) -> Any:
    """The same as a process of its own."""

    def call(board: object, *words: str, **environment: str) -> Any:
        write(tmp_path, board)
        return run(tmp_path, "canvas", "render", "board.json", *words, **environment)

    return call


@pytest.mark.drawing
class TestDrawing:
    """With the engine."""

    def test_each_form_by_its_name(self, render: Any, tmp_path: Path) -> None:
        starts = {"png": b"\x89PNG", "webp": b"RIFF", "svg": b"<?xml", "pdf": b"%PDF"}
        for form, start in starts.items():
            done = render(BOARD, "-o", f"page.{form}")

            assert (done.returncode, done.stdout, done.stderr) == (0, f"page.{form}\n", "")
            assert (tmp_path / f"page.{form}").read_bytes().startswith(start)

    def test_a_scale_makes_more_pixels_of_the_same_board(self, render: Any, tmp_path: Path) -> None:
        assert render(BOARD, "-o", "page.png", "--scale", "2").returncode == 0
        width, height = (int.from_bytes((tmp_path / "page.png").read_bytes()[at : at + 4]) for at in (16, 20))
        assert (width, height) == (2400, 1600)

    def test_pages_become_files_or_one_document(self, render: Any, tmp_path: Path) -> None:
        assert render(PAGES, "-o", "page.png").stdout.split() == ["page-1.png", "page-2.png"]
        assert render(PAGES, "-o", "second.svg", "--page", "2").stdout.split() == ["second.svg"]
        assert render(PAGES, "-o", "all.pdf").stdout.split() == ["all.pdf"]

        document = PdfReader(io.BytesIO((tmp_path / "all.pdf").read_bytes()))
        outline: list[Any] = document.outline
        assert [item["/Title"] for item in outline] == ["Page 1 - ሒሳብ", "Page 2"]
        assert "ሰላም" in document.pages[0].extract_text()

    def test_a_replay_is_drawn_stroke_by_stroke(self, render_apart: Any, tmp_path: Path) -> None:
        strokes = [WAVE | {"created_at": "2026-01-05T09:00:02Z"}, LETTERS | {"created_at": "2026-01-05T09:01:02Z"}]
        done = render_apart({"strokes": strokes}, "-o", "page.mp4", "--shorten-idle")

        assert (done.returncode, done.stderr) == (0, "")
        film = probe(tmp_path / "page.mp4", find_binaries(Settings()))
        assert film.video is not None
        assert (film.video.width, film.video.height) == (1280, 720)
        assert 3_000 < film.duration_ms < 20_000

    def test_what_is_not_drawn_is_named_and_stops_nothing(self, render_apart: Any, tmp_path: Path) -> None:
        bad = {"stroke_type": "laser", "stroke_order": 3, "stroke_data": {}}
        done = render_apart({"strokes": [bad, WAVE]}, "-o", "page.png")

        assert (done.returncode, done.stderr) == (0, "page 1, stroke 3: unknown type 'laser'\n")
        assert (tmp_path / "page.png").exists()

    def test_of_very_many_only_the_first_are_named(self, render: Any) -> None:
        done = render({"strokes": [{"stroke_type": "laser"}] * 1000}, "-o", "page.png")
        assert len(done.stderr.splitlines()) == 51
        assert done.stderr.endswith("and 950 more\n")


def test_what_is_no_board_is_refused_in_one_sentence(render: Any, tmp_path: Path) -> None:
    for board in ("", "[]", "{}", "nonsense", "[" * 100_000, '{"strokes": 5}', '{"pages": []}', "9" * 5000):
        done = render(board, "-o", "page.png")
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), board[:20]
        assert done.stderr.startswith("astegni: ")
    assert [path.name for path in tmp_path.iterdir()] == ["board.json"]


def test_wrong_words_are_refused_in_one_sentence(render: Any, tmp_path: Path) -> None:
    for words in (("-o", "page.gif"), ("-o", "nowhere/page.png"), ("-o", "page.png", "--page", "2")):
        done = render(BOARD, *words)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), words
    assert [path.name for path in tmp_path.iterdir()] == ["board.json"]


def test_without_the_engine_it_says_what_to_install(render_apart: Any, tmp_path: Path) -> None:
    # What a loader meets on a machine without them, as near as a machine with them gets.
    broken = tmp_path / "broken"
    broken.mkdir()
    for library in ("libGL.so.1", "libEGL.so.1"):
        (broken / library).write_text("no library")
    done = render_apart(BOARD, "-o", "page.png", LD_LIBRARY_PATH=str(broken))

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "libgl1 and libegl1" in done.stderr
    doctor = run(tmp_path, "doctor", LD_LIBRARY_PATH=str(broken))
    report = next(line for line in doctor.stdout.splitlines() if line.startswith("canvas"))
    assert (doctor.returncode, report.split()[1]) == (1, "FAILED")
    assert "libgl1 and libegl1" in report


def test_a_picture_that_a_signal_ends_leaves_nothing(tmp_path: Path, call_command: CallCommand) -> None:
    write(tmp_path, {"strokes": [{**WAVE, "stroke_data": {"points": [[x % 999, x % 7] for x in range(40_000)]}}]})
    # The picture goes through this pipe, which holds a quarter of it: drawing cannot end before it is interrupted.
    part = tmp_path / f".board.svg.{os.getpid()}.part"
    os.mkfifo(part)

    def interrupt() -> None:
        with part.open("rb", buffering=0) as reading:
            reading.read(1)
            os.kill(os.getpid(), signal.SIGTERM)
            reading.read()

    reader = threading.Thread(target=interrupt)
    reader.start()
    drawn = call_command(
        ["canvas", "render", "board.json", "-o", "board.svg"], environment_without_settings(), tmp_path
    )
    reader.join()
    assert (drawn.returncode, drawn.stderr.count("\n")) == (128 + signal.SIGTERM, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["board.json"]
