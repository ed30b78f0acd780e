"""`astegni canvas`: draws a stored board from a file as a picture, document or film, without any service."""

import os
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.interruption import cleaned_up_on_signals
from worker.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from worker.canvases.board import DrawnBoard, DrawnPage

app = typer.Typer(help="Draw boards.", no_args_is_help=True)

# Most lines about strokes that are not drawn; a broken table may have thousands.
_MAX_LINES = 50

# Writes the whole file of this name.
Write = Callable[[Path], None]


class OutputFormat(StrEnum):
    """The extension of the output file."""

    PNG = ".png"
    WEBP = ".webp"
    SVG = ".svg"
    PDF = ".pdf"
    MP4 = ".mp4"


@app.callback()
def group() -> None:
    """Keep `render` a subcommand: Typer would merge a single command into its group."""


@app.command()
def render(
    board: Annotated[Path, typer.Argument(help='JSON: {"strokes": [...]}, or a board_snapshot with `pages`.')],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="File to write: NAME.png, .webp (a thumbnail), .svg, .pdf or .mp4 (a replay)."
        ),
    ],
    scale: Annotated[float, typer.Option(help="Pixels of the PNG for each pixel of the board, at most 4.")] = 1.0,
    page: Annotated[int | None, typer.Option(min=1, help="Draw only this page, counted from 1.")] = None,
    shorten_idle: Annotated[bool, typer.Option(help="In a replay, shorten idle times to 3 s.")] = False,
) -> None:
    """Draw a board as the browser showed it.

    A PDF and a replay contain all pages. In the other formats a board with several pages becomes several files:
    NAME-1.png, NAME-2.png. Strokes that cannot be drawn are listed on stderr; the others are drawn.
    """
    from worker.canvases.stored.json_text import read_document  # noqa: PLC0415 - not for `--help`
    from worker.canvases.stored.pages import read_board  # noqa: PLC0415

    form = _form(output)
    drawn = read_board(read_document(board), title=board.stem, ever=form is OutputFormat.MP4)
    if page is not None:
        drawn = _only(drawn, page)
    if not drawn.pages:
        raise InvalidInput("The board has no pages.")
    with cleaned_up_on_signals():
        for path, write in _outputs(drawn, output, form, scale, shorten_idle=shorten_idle):
            _write(path, write)
            typer.echo(str(path))
    _report_skipped(drawn)


def _form(output: Path) -> OutputFormat:
    try:
        return OutputFormat(output.suffix.lower())
    except ValueError:
        raise InvalidInput(f"{output} must end in {', '.join(OutputFormat)}.") from None


def _only(board: "DrawnBoard", number: int) -> "DrawnBoard":
    from worker.canvases.board import DrawnBoard  # noqa: PLC0415

    if number > len(board.pages):
        raise NotFound(f"The board has {len(board.pages)} pages and no page {number}.")
    return DrawnBoard(board.title, board.pages[number - 1 : number])


def _outputs(
    board: "DrawnBoard", output: Path, form: OutputFormat, scale: float, *, shorten_idle: bool
) -> list[tuple[Path, Write]]:
    if form is OutputFormat.PDF:
        return [(output, partial(_document, board))]
    if form is OutputFormat.MP4:
        return [(output, partial(_film, board, shorten_idle=shorten_idle))]
    if len(board.pages) == 1:
        return [(output, partial(_picture, board.pages[0], form, scale))]
    return [
        (output.with_stem(f"{output.stem}-{number}"), partial(_picture, page, form, scale))
        for number, page in enumerate(board.pages, start=1)
    ]


def _document(board: "DrawnBoard", path: Path) -> None:
    from worker.canvases.drawing.pdf import write_pdf  # noqa: PLC0415

    write_pdf(board.pages, path, board.title)


def _film(board: "DrawnBoard", path: Path, *, shorten_idle: bool) -> None:
    from worker.canvases.replay.build_timeline import build_timeline  # noqa: PLC0415
    from worker.canvases.replay.film import write_film  # noqa: PLC0415
    from worker.media.processes.binaries import find_binaries  # noqa: PLC0415
    from worker.settings import Settings  # noqa: PLC0415

    write_film(build_timeline(board, shorten_idle=shorten_idle), path, find_binaries(Settings()))


def _picture(page: "DrawnPage", form: OutputFormat, scale: float, path: Path) -> None:
    from worker.canvases.drawing.raster import write_png, write_thumbnail  # noqa: PLC0415
    from worker.canvases.drawing.svg import write_svg  # noqa: PLC0415

    with path.open("wb") as out:
        if form is OutputFormat.PNG:
            write_png(page, out, scale)
        elif form is OutputFormat.WEBP:
            write_thumbnail(page, out)
        else:
            write_svg(page, out)


def _write(path: Path, write: Write) -> None:
    """Write the file atomically: completely or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(part)
        part.replace(path)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)


def _report_skipped(board: "DrawnBoard") -> None:
    lines = [
        f"page {page.number}, {'a stroke' if skipped.order is None else f'stroke {skipped.order}'}: {skipped.reason}"
        for page in board.pages
        for skipped in page.skipped
    ]
    for line in lines[:_MAX_LINES]:
        typer.echo(line, err=True)
    if len(lines) > _MAX_LINES:
        typer.echo(f"and {len(lines) - _MAX_LINES} more", err=True)
