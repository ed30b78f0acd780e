"""Small pictures of a time while the pointer lies over the time, or drags: from the storyboard, or from the strokes."""

from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest

from tests.browser.watch.conftest import MONTH, Lesson, Open, Viewer
from tests.browser.watch.lesson import SECONDS
from worker.canvases.engine import skia

_WIDTH, _HEIGHT = 160, 90
# One tile of each colour, shown for a quarter of the lesson.
_COLOURS = ((200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30))


def _storyboard(path: Path) -> int:
    """A sheet of two by two tiles, and below them noise, which makes it large; returns its bytes."""
    pixels = np.random.default_rng(0).integers(256, size=(9 * _HEIGHT, 2 * _WIDTH, 4), dtype=np.uint8)
    pixels[:, :, 3] = 255
    for number, colour in enumerate(_COLOURS):
        row, column = divmod(number, 2)
        pixels[row * _HEIGHT : (row + 1) * _HEIGHT, column * _WIDTH : (column + 1) * _WIDTH, :3] = colour
    image = skia.Image.fromarray(pixels, colorType=skia.ColorType.kRGBA_8888_ColorType)
    image.save(str(path), skia.EncodedImageFormat.kPNG)
    return path.stat().st_size


def _hover(viewer: Viewer, part: float, *, button: str = "none") -> None:
    box = viewer.run("(({ x, y, width, height }) => [x, y, width, height])(seek.getBoundingClientRect())")
    event = {"type": "mouseMoved", "x": box[0] + part * box[2], "y": box[1] + box[3] / 2, "button": button}
    viewer.page.call("Input.dispatchMouseEvent", event)


def _seen(viewer: Viewer) -> list[int] | None:
    """The colour in the middle of the preview."""
    box = viewer.run("(({ x, y, width, height }) => [x, y, width, height])(preview.getBoundingClientRect())")
    if not box[2]:
        return None
    clip = {"x": box[0] + box[2] / 2, "y": box[1] + box[3] / 2 + viewer.run("scrollY"), "width": 1, "height": 1}
    shot = viewer.page.call("Page.captureScreenshot", {"format": "png", "clip": clip | {"scale": 1}})
    image = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(b64decode(shot["data"])))
    return [int(part) for part in image.toarray(colorType=skia.ColorType.kRGBA_8888_ColorType)[0, 0, :3]]


def _is_near(seen: list[int] | None, colour: tuple[int, int, int]) -> bool:
    return seen is not None and max(abs(value - wanted) for value, wanted in zip(seen, colour, strict=True)) < 20


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_the_storyboard_is_shown_under_the_pointer(
    lesson: Lesson, open_lesson: Open, tmp_path: Path, direction: str
) -> None:
    film_size = lesson.put_playback()
    sheet = tmp_path / "storyboard.png"
    sheet_size = _storyboard(sheet)
    assert sheet_size > film_size
    times = [round(SECONDS * 250 * number) for number in range(len(_COLOURS))]
    lesson.put(
        "storyboard", sheet, "image/png", tiles={"width": _WIDTH, "height": _HEIGHT, "columns": 2, "times_ms": times}
    )
    viewer = open_lesson(
        before=f"document.addEventListener('DOMContentLoaded', () => {{ document.dir = '{direction}'; }});"
    )
    viewer.wait("document.querySelector('[name=mode]:checked')")
    for number, colour in enumerate(_COLOURS):
        _hover(viewer, (number + 0.5) / len(_COLOURS))
        # The first look loads the sheet.
        for _ in range(100):
            if _is_near(_seen(viewer), colour):
                break
            _hover(viewer, (number + 0.52) / len(_COLOURS))
            viewer.run("new Promise((resolve) => { setTimeout(resolve, 50); })")
        assert _is_near(_seen(viewer), colour), (number, _seen(viewer))
    assert sheet_size <= viewer.run(MONTH) <= sheet_size + film_size
    viewer.run("seek.value = 4; seek.dispatchEvent(new Event('input'))")
    assert _is_near(_seen(viewer), _COLOURS[1])
    assert viewer.text("now") == "0:04"
    viewer.run("seek.dispatchEvent(new Event('change'))")
    assert viewer.run("document.getElementById('preview').hidden") is True
    viewer.wait("Math.abs(film.currentTime - 4) < 0.1")
    assert viewer.run("faults") == []


def test_a_tile_of_an_upright_film_keeps_its_shape(lesson: Lesson, open_lesson: Open, tmp_path: Path) -> None:
    lesson.put_playback()
    sheet = tmp_path / "storyboard.png"
    _storyboard(sheet)
    # The red tile as one of 80 x 90 pixels.
    tiles = {"width": 80, "height": 90, "columns": 1, "times_ms": [0]}
    lesson.put("storyboard", sheet, "image/png", tiles=tiles)
    viewer = open_lesson()
    viewer.wait("document.querySelector('[name=mode]:checked')")
    row = "Array.from(preview.getContext('2d').getImageData(0, 54, 192, 1).data).filter((_, at) => at % 4 === 0)"
    viewer.wait(
        "seek.dispatchEvent(new PointerEvent('pointermove', { clientX: seek.getBoundingClientRect().x + 20 }))"
        " && !document.getElementById('preview').hidden"
    )
    red = [at for at, value in enumerate(viewer.run(row)) if value > 150]
    # 96 of 192 pixels, in the middle.
    assert (red[0], red[-1], len(red)) == (48, 143, 96)


def test_strokes_are_drawn_small(lesson: Lesson, open_lesson: Open) -> None:
    lesson.put_strokes()
    viewer = open_lesson()
    viewer.wait("document.querySelector('[name=mode]:checked')?.value === 'strokes'")
    viewer.click("start")
    viewer.wait("document.querySelectorAll('#pageList button').length === 2")
    _hover(viewer, 0.5)
    viewer.wait("!document.getElementById('preview').hidden")
    # The ruler of the time that is pointed at ends in the middle.
    row = "Array.from(preview.getContext('2d').getImageData(0, 97, 192, 1).data).filter((_, at) => at % 4 === 0)"
    inked = [at for at, red in enumerate(viewer.run(row)) if red < 120]
    assert inked
    assert max(inked) / 192 == pytest.approx(0.5, abs=0.06)
    assert viewer.run("faults") == []


def test_the_place_moves_on_after_a_drag_to_where_it_began_or_that_is_cancelled(
    lesson: Lesson, open_lesson: Open
) -> None:
    lesson.put_strokes()
    viewer = open_lesson()
    viewer.wait("document.querySelector('[name=mode]:checked')")
    x, y = viewer.run("(({ x, y, height }) => [x + 9, y + height / 2])(seek.getBoundingClientRect())")
    viewer.page.drag([(x, y), (x + 300, y), (x - 5, y)])
    viewer.click("play")
    viewer.wait("Number(seek.value) > 0.5")
    for kind, points in (("touchStart", [x + 100]), ("touchMove", [x + 180]), ("touchCancel", [])):
        touches = [{"x": point, "y": y} for point in points]
        viewer.page.call("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    viewer.wait("Math.abs(seek.value - voice.currentTime) < 0.5 && voice.currentTime > 1.5")
    assert viewer.run("document.getElementById('preview').hidden") is True
    assert viewer.run("faults") == []
