"""`astegni doctor`: checks that everything this installation needs is present, and that its services respond."""

import os
import shutil
import subprocess
from collections.abc import Callable

import typer

from worker.cli.service_checks import (
    Doubtful,
    check_broker,
    check_database,
    check_mail,
    check_platform_people,
    check_processes,
    check_storage,
)
from worker.cli.target import settings_with_stack
from worker.errors import AstegniError, Misconfigured, OutOfSpace
from worker.settings import Settings

Check = Callable[[Settings], str]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor() -> None:
    """Check the programs, the disk and the services of the environment, or of the stack running on this machine.

    Exits 1 when a check fails; warnings alone exit 0.
    """
    settings, stack = settings_with_stack()
    if stack is not None:
        typer.echo(f"What the environment does not name is that of the running stack, {stack}")
    failures = 0
    for name, check in _CHECKS.items():
        try:
            mark, detail = "ok", check(settings)
        except Doubtful as doubt:
            mark, detail = "WARNING", doubt.detail
        except AstegniError as error:
            failures += 1
            mark, detail = "FAILED", error.detail
        typer.echo(f"{name:<11}{mark:<8}{detail}")
    if failures:
        raise typer.Exit(1)


def _media(settings: Settings) -> str:
    from worker.media.processes.binaries import find_binaries, missing_features  # noqa: PLC0415 - only when asked

    remedy = "Unset FFMPEG_PATH and FFPROBE_PATH, or name other programs."
    binaries = find_binaries(settings)
    try:
        missing = missing_features(binaries)
    except (OSError, subprocess.SubprocessError) as error:
        raise Misconfigured(f"ffmpeg or ffprobe cannot be run ({type(error).__name__}). {remedy}") from error
    if missing:
        raise Misconfigured(f"{'; '.join(missing)}. {remedy}")
    return f"{binaries.ffmpeg}, {binaries.ffprobe}"


def _canvas(settings: Settings) -> str:  # noqa: ARG001 - nothing to set
    from worker.canvases.engine import load_engine  # noqa: PLC0415 - only when asked

    return f"skia {load_engine().__version__}"


def _spool(settings: Settings) -> str:
    # Read-only: the first upload creates the folder, possibly as another user.
    folder = settings.spool_dir.absolute()
    nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise Misconfigured(f"{nearest} cannot be written. Set SPOOL_DIR to a folder that can.")
    free = shutil.disk_usage(nearest).free
    if free < settings.spool_reserve_bytes:
        raise OutOfSpace(f"{folder} has {free / 1e9:.1f} GB free, less than SPOOL_RESERVE_BYTES. Free some space.")
    return f"{folder}, {free / 1e9:.0f} GB free"


_CHECKS: dict[str, Check] = {
    "ffmpeg": _media,
    "canvas": _canvas,
    "spool": _spool,
    "database": check_database,
    "platform": check_platform_people,
    "broker": check_broker,
    "processes": check_processes,
    "storage": check_storage,
    "mail": check_mail,
}
