"""`astegni canvas`: a stored board becomes a picture or a document, from a file and without a service."""

import os
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from worker.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from worker.canvases.pages import Board, Page

app = typer.Typer(help="Draw boards.", no_args_is_help=True)

# What is told of strokes that are not drawn; a broken table has thousands.
_MOST_TOLD = 50

Write = Callable[[BinaryIO], None]


class Form(StrEnum):
    """What the name of the output ends in."""

    PNG = ".png"
    WEBP = ".webp"
    SVG = ".svg"
    PDF = ".pdf"


@app.callback()
def group() -> None:
    """Keep `render` a command of its own."""


@app.command()
def render(
    board: Annotated[Path, typer.Argument(help='JSON: {"strokes": [...]}, or a board_snapshot with `pages`.')],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to: NAME.png, .webp (a thumbnail), .svg or .pdf.")
    ],
    scale: Annotated[float, typer.Option(help="Pixels of the PNG for each pixel of the board, at most 4.")] = 1.0,
    page: Annotated[int | None, typer.Option(min=1, help="Draw only this page, counted from 1.")] = None,
) -> None:
    """Draw a board as its browser showed it.

    A PDF has all pages. Of a board with several pages the other forms are several files: NAME-1.png, NAME-2.png.
    Strokes that cannot be drawn are named on stderr; they never stop the rest.
    """
    from worker.canvases.documents import read_document  # noqa: PLC0415 - not for `--help`
    from worker.canvases.pages import read_board  # noqa: PLC0415

    form = _form(output)
    drawn = read_board(read_document(board), title=board.stem)
    if page is not None:
        drawn = _only(drawn, page)
    for path, write in _outputs(drawn, output, form, scale):
        _write(path, write)
        typer.echo(str(path))
    _tell_skipped(drawn)


def _form(output: Path) -> Form:
    try:
        return Form(output.suffix.lower())
    except ValueError:
        raise InvalidInput(f"{output} must end in {', '.join(Form)}.") from None


def _only(board: "Board", number: int) -> "Board":
    from worker.canvases.pages import Board  # noqa: PLC0415

    if number > len(board.pages):
        raise NotFound(f"The board has {len(board.pages)} pages and no page {number}.")
    return Board(board.title, board.pages[number - 1 : number])


def _outputs(board: "Board", output: Path, form: Form, scale: float) -> list[tuple[Path, Write]]:
    from worker.canvases.pdf import write_pdf  # noqa: PLC0415

    if not board.pages:
        raise InvalidInput("The board has no pages.")
    if form is Form.PDF:
        return [(output, lambda out: write_pdf(board.pages, out, board.title))]
    if len(board.pages) == 1:
        return [(output, _picture(board.pages[0], form, scale))]
    return [
        (output.with_stem(f"{output.stem}-{number}"), _picture(page, form, scale))
        for number, page in enumerate(board.pages, start=1)
    ]


def _picture(page: "Page", form: Form, scale: float) -> Write:
    from worker.canvases.raster import write_png, write_thumbnail  # noqa: PLC0415
    from worker.canvases.svg import write_svg  # noqa: PLC0415

    if form is Form.PNG:
        return partial(write_png, page, scale=scale)
    return partial(write_thumbnail if form is Form.WEBP else write_svg, page)


def _write(path: Path, write: Write) -> None:
    """All of the file, or none of it."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as out:
            write(out)
        part.replace(path)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)


def _tell_skipped(board: "Board") -> None:
    told = [
        f"page {page.number}, {'a stroke' if skipped.order is None else f'stroke {skipped.order}'}: {skipped.reason}"
        for page in board.pages
        for skipped in page.skipped
    ]
    for line in told[:_MOST_TOLD]:
        typer.echo(line, err=True)
    if len(told) > _MOST_TOLD:
        typer.echo(f"and {len(told) - _MOST_TOLD} more", err=True)
